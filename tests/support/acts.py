"""An example of every act of an operator, with its text."""

from __future__ import annotations

from typing import Any

from healthd import events
from healthd.events import Event

BY: dict[str, Any] = {"at": 1.5, "who": "root", "reason": "new kernel"}
ON: dict[str, Any] = {**BY, "service": "web", "server": "10.0.0.1:80"}
ITSELF: dict[str, Any] = {**ON, "who": "healthd", "reason": ""}
EDIT = ("-e ...",)
UNTIL = 1_800_000_000.0

ACTS: list[tuple[Event, str]] = [
    (
        events.MaintenanceBegan(until=UNTIL, edits=EDIT, **ON),
        "web: server 10.0.0.1:80 in maintenance until 2027-01-15 08:00:00 UTC by root (new kernel); table: -e ...",
    ),
    (
        events.MaintenanceEnded(cause="ready", **ON),
        (
            "web: server 10.0.0.1:80 out of maintenance by root (new kernel); it is back when its checks pass; "
            "table: nothing to change"
        ),
    ),
    (
        events.MaintenanceEnded(cause="over", **ITSELF),
        (
            "web: server 10.0.0.1:80 out of maintenance: its time is over; it is back when its checks pass; "
            "table: nothing to change"
        ),
    ),
    (
        events.DrainBegan(edits=EDIT, **{**ON, "reason": ""}),
        "web: server 10.0.0.1:80 drained by root; table: -e ...",
    ),
    (
        events.DrainEnded(cause="done", active=0, inactive=0, persistent=0, **ITSELF),
        "web: server 10.0.0.1:80 is drained: no connection left; it stays so until it is brought back",
    ),
    (
        events.DrainEnded(cause="cut", active=3, inactive=2, persistent=1, edits=("-d ...",), **ITSELF),
        (
            "web: server 10.0.0.1:80 was drained long enough and is cut: "
            "3 active, 2 inactive, 1 persistent connections left; table: -d ..."
        ),
    ),
    (
        events.DrainEnded(cause="ready", edits=EDIT, **ON),
        ("web: server 10.0.0.1:80 no longer drained by root (new kernel); table: -e ..."),
    ),
    (
        events.WeightSet(weight="50%", old="", edits=EDIT, **ON),
        "web: server 10.0.0.1:80 weight set to 50% by root (new kernel); table: -e ...",
    ),
    (
        events.WeightSet(weight="", old="50%", edits=EDIT, **ON),
        "web: server 10.0.0.1:80 has its configured weight again, before 50% by root (new kernel); table: -e ...",
    ),
    (
        events.Frozen(until=UNTIL, **BY),
        ("table frozen until 2027-01-15 08:00:00 UTC by root (new kernel): it is looked at and not edited"),
    ),
    (events.Thawed(**BY), "table thawed by root (new kernel): it is edited again"),
    (
        events.CheckAsked(service="web", servers=tuple("abcdefg"), **BY),
        "web: check asked for by root (new kernel): a, b, c, d, e and 2 more",
    ),
    (events.ReloadAsked(**BY), "reload of the configuration asked for by root (new kernel)"),
    (
        events.AlertTested(**BY, results=("ops: arrived: 250 OK", "chat: did not arrive: HTTP 404")),
        "alerts tested by root (new kernel): ops: arrived: 250 OK; chat: did not arrive: HTTP 404",
    ),
    (events.AlertTested(**BY, results=()), "alerts tested by root (new kernel): none is configured"),
    (
        events.ActRefused(act="drain", selectors=("web/*",), messages=("too few", "too many"), **BY),
        "refused to root: drain web/*: too few; too many",
    ),
    (
        events.TableDrift(at=1.5, differences=("one", "two"), frozen=True),
        "table was changed by someone else, left so while it is frozen: one; two",
    ),
]
