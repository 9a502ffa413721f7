"""What operators did, or were refused: the audit trail. Who, when, to which server, why, and what followed.

`until` is wall-clock time, None where only another act ends it. `who` is "healthd" for what ended by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from healthd.events.event import Event, Severity, listed

NAMED = 5
"""Servers that a line for people names; of the others there is a count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act(Event):
    """What an operator did."""

    who: str
    reason: str = ""

    @property
    def _by(self) -> str:
        return f" by {self.who}" + (f" ({self.reason})" if self.reason else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAct(Act):
    """`edits` is what follows in the table, as ipvsadm commands."""

    server: str
    edits: tuple[str, ...] = ()

    @property
    def _subject(self) -> str:
        return f"{self.service}: server {self.server}"

    @property
    def _table(self) -> str:
        return "; table: " + (listed(self.edits, ", ") or "nothing to change")


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceBegan(ServerAct):
    kind = "maintenance_began"
    until: float | None = None

    def text(self) -> str:
        return f"{self._subject} in maintenance{_until(self.until)}{self._by}{self._table}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceEnded(ServerAct):
    """From here on its checks decide about it, from the beginning. `cause` is "ready", "over" or "drain"."""

    kind = "maintenance_ended"
    cause: str

    def text(self) -> str:
        if self.cause == "drain":
            return f"{self._subject} out of maintenance, and drained{self._by}{self._table}"
        how = ": its time is over" if self.cause == "over" else self._by
        return f"{self._subject} out of maintenance{how}; it is back when its checks pass{self._table}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainBegan(ServerAct):
    """At `until` it is cut, whatever is still connected."""

    kind = "drain_began"
    until: float | None = None

    def text(self) -> str:
        return f"{self._subject} drained{_until(self.until)}{self._by}{self._table}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainEnded(ServerAct):
    """`cause` is "done" (nobody is connected any more), "cut" (the limit was reached) or "ready" (it was brought back).

    `active`, `inactive` and `persistent` are what the kernel counted last of its connections, None if it did not yet.
    """

    kind = "drain_ended"
    cause: str
    active: int | None = None
    inactive: int | None = None
    persistent: int | None = None

    @property
    def left(self) -> str:
        if self.active is None:
            return "connections not counted"
        if not (self.active or self.inactive or self.persistent):
            return "no connection left"
        return f"{self.active} active, {self.inactive} inactive, {self.persistent} persistent connections left"

    def text(self) -> str:
        match self.cause:
            case "done":
                return f"{self._subject} is drained: {self.left}; it stays so until it is brought back"
            case "cut":
                return f"{self._subject} was drained long enough and is cut: {self.left}{self._table}"
            case _:
                left = f", with {self.left}" if self.active or self.inactive or self.persistent else ""
                return f"{self._subject} no longer drained{self._by}{left}{self._table}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightSet(ServerAct):
    """`weight` is a number or a share such as "50%", empty where the configured one holds again; `old` the one before.

    Both old and new are as they were set, not what a check or a drain makes of them.
    """

    kind = "weight_set"
    weight: str
    old: str

    def text(self) -> str:
        new = f"weight set to {self.weight}" if self.weight else "has its configured weight again"
        before = f", before {self.old}" if self.old else ""
        return f"{self._subject} {new}{before}{self._by}{self._table}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen(Act):
    kind = "frozen"
    severity = Severity.WARNING
    until: float | None = None

    def text(self) -> str:
        return f"table frozen{_until(self.until)}{self._by}: it is looked at and not edited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thawed(Act):
    kind = "thawed"

    def text(self) -> str:
        return f"table thawed{self._by}: it is edited again"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRefused(Act):
    """`act` on what matches `selectors` was not done; `messages` say why."""

    kind = "act_refused"
    severity = Severity.WARNING
    act: str
    selectors: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()

    def text(self) -> str:
        what = " ".join((self.act, listed(self.selectors, ", ", NAMED))).strip()
        return f"refused to {self.who}: {what}: " + "; ".join(self.messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAsked(Act):
    """Checks of these servers were asked for out of turn."""

    kind = "check_asked"
    servers: tuple[str, ...]

    @property
    def tells_of(self) -> Sequence[tuple[str, str]]:
        return [(self.service, server) for server in self.servers]

    def text(self) -> str:
        return f"{self.service}: check asked for{self._by}: {listed(self.servers, ', ', NAMED)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadAsked(Act):
    kind = "reload_asked"

    def text(self) -> str:
        return f"reload of the configuration asked for{self._by}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTested(Act):
    """A test message was sent; `results` say in words what came of it, for each alert."""

    kind = "alert_tested"
    results: tuple[str, ...]

    def text(self) -> str:
        return f"alerts tested{self._by}: " + ("; ".join(self.results) or "none is configured")


def _until(until: float | None) -> str:
    return "" if until is None else datetime.fromtimestamp(until, UTC).strftime(" until %Y-%m-%d %H:%M:%S UTC")
