from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from healthd.control import explaining, unusual
from healthd.control.sources import TableView
from healthd.overrides import Freeze
from healthd.policy import Standing
from healthd.schedulerview import LatenessView, SchedulerView
from healthd.snapshot import ServiceView, Snapshot
from healthd.verdict import Health
from tests.support.building import check

CALM = SchedulerView(jobs=1, checks=1, waiting=0, too_late=0, lateness=LatenessView(((1, 9),), 0.001))
TABLE = TableView("kernel", (), 1.0)
NOW = 1_800_000_000.0


def view(**changes: Any) -> ServiceView:
    given: dict[str, Any] = {
        "name": "web",
        "virtual": "192.168.7.110:80/tcp",
        "standing": Standing.SERVED,
        "available": 2,
        "fallback_active": False,
        "fail_open": False,
        "servers": (),
    }
    return ServiceView(**given | changes)


def said(
    *views: ServiceView,
    table: TableView = TABLE,
    scheduler: SchedulerView = CALM,
    stalled: str = "",
    history: str = "",
    alerts: list[dict[str, Any]] | None = None,
    counting: str = "",
    newest: Mapping[str, float] | None = None,
    frozen: Freeze | None = None,
) -> list[str]:
    sources: Any = SimpleNamespace(
        stalled=lambda: stalled,
        table=lambda: table,
        scheduler=lambda: scheduler,
        history=SimpleNamespace(error=history),
    )
    snapshot = Snapshot(views, NOW, frozen)
    return list(unusual.lines(sources, snapshot, alerts or [], counting, newest or {}))


def test_nothing_is_said_while_all_is_well() -> None:
    """Not even of a service that has just been started and knows nothing yet."""
    assert said(view(), view(standing=Standing.STARTING, available=0, min_available=2)) == []


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"standing": Standing.LOST, "available": 0}, "web: no real server available"),
        (
            {"standing": Standing.LOST, "available": 0, "fail_open": True},
            "web: no real server available; all stand in",
        ),
        (
            {"standing": Standing.LOST, "available": 0, "fallback_active": True, "fallback": "127.0.0.1:80"},
            "web: fallback server 127.0.0.1:80 is active",
        ),
        ({"available": 1, "min_available": 2}, "web: 1 available, fewer than min_available = 2"),
    ],
)
def test_services_in_trouble(changes: dict[str, Any], line: str) -> None:
    """One line each, the gravest thing first said."""
    assert said(view(**changes)) == [line]


def test_everything_else_that_is_not_as_it_should_be() -> None:
    """healthd itself, the table, the schedule, the past and the alerts."""
    late = SchedulerView(jobs=1, checks=1, waiting=3, too_late=9, lateness=LatenessView(((750, 9),), 2.0))
    freeze = Freeze(since=NOW, until=NOW + 60, who="alice", reason="move")
    assert said(
        table=TableView("kernel", ("no permission",), 9.0, ("-e one",)),
        scheduler=late,
        stalled="no check has ended for 90 s",
        history="disk full",
        alerts=[{"name": "ops", "last_error": "refused", "queued": 4}, {"name": "calm", "last_error": ""}],
        counting="no permission",
        newest={"table_drift": NOW - 20, "reload_failed": NOW - 5, "reloaded": NOW - 6},
        frozen=freeze,
    ) == [
        "healthd does not advance: no check has ended for 90 s",
        "the last reload failed: the configuration on the disk is not the one in use",
        "frozen by alice since 2027-01-15 08:00:00 UTC until 2027-01-15 08:01:00 UTC: move; the table is not edited",
        "table not as it should be: no permission",
        "table: 1 edit held back while it is frozen",
        "table: somebody else edited it 20 s ago",
        "connections cannot be counted: no permission",
        "3 checks wait for a file descriptor",
        "checks start late: one in a hundred by more than 0.75 s",
        "history is not kept: disk full",
        "alert ops: refused; 4 queued",
    ]


def test_what_is_long_past_is_no_longer_unusual() -> None:
    """Drift ten minutes ago, and a reload that failed before one that did not."""
    assert said(newest={"table_drift": NOW - 700, "reload_failed": NOW - 9, "reloaded": NOW - 5}) == []


@pytest.mark.parametrize(
    ("health", "rule"),
    [
        (Health.UP, "check tcp: 3 failures in a row take it out (fall = 3)"),
        (Health.DOWN, "check tcp: 2 passes in a row bring it back (rise = 2)"),
        (Health.UNDECIDED, "check tcp: its first outcome decides"),
    ],
)
def test_the_rule_in_words(health: Health, rule: str) -> None:
    """What it takes to change a server's health."""
    assert explaining.rule(health, check()) == rule
    assert explaining.rule(health, None) == "without checks a server is always up"


def test_one_is_singular() -> None:
    """In the rule of a check that needs no second opinion."""
    once = check(fall="1", rise="1")
    assert explaining.rule(Health.UP, once) == "check tcp: 1 failure takes it out (fall = 1)"
    assert explaining.rule(Health.DOWN, once) == "check tcp: 1 pass brings it back (rise = 1)"
