"""The kinds of event that happen by themselves. What operators do is in `acts`, the list of all in `registry`."""

from __future__ import annotations

from dataclasses import dataclass

from checkers.base import Outcome
from healthd.events.event import Event, Severity, listed


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerEvent(Event):
    """`outcomes` are the ones that decided, oldest first; `edits` what follows in the table, as ipvsadm commands."""

    server: str
    check: str
    old: str
    new: str
    outcomes: tuple[Outcome, ...]
    edits: tuple[str, ...]
    available: int
    configured: int

    def text(self) -> str:
        evidence = "; ".join(dict.fromkeys(str(outcome) for outcome in self.outcomes))
        count = _counted(len(self.outcomes), "outcome")
        after = f" after {count} of check {self.check}: {evidence}" if self.outcomes else ""
        edits = "; table: " + listed(self.edits, ", ") if self.edits else "; table: nothing to change"
        left = f"; {self.available} of {self.configured} servers available"
        return f"{self.service}: server {self.server} {self.old} -> {self.new}{after}{left}{edits}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerDown(ServerEvent):
    kind = "server_down"
    severity = Severity.WARNING


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerUp(ServerEvent):
    kind = "server_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAdmitted(ServerEvent):
    """A server's first verdict since the start, and a good one: nothing was wrong before, so nobody is alarmed."""

    kind = "server_admitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightChanged(Event):
    """A server that is up has another weight because its checks ask for it, or is degraded, or is so no more.

    `outcome` is the one that asked for it last; where a change was put off, others may have come before.
    """

    kind = "weight_changed"
    server: str
    check: str
    old_weight: int
    new_weight: int
    configured: int
    degraded: bool
    outcome: Outcome

    def text(self) -> str:
        old, new = self.old_weight, self.new_weight
        weight = f"weight {old} -> {new}" if old != new else f"weight {new} as before"
        configured = f" ({self.configured} configured)" if new != self.configured else ""
        degraded = "degraded, " if self.degraded else ""
        because = f"check {self.check}: {self.outcome}"
        return f"{self.service}: server {self.server} {degraded}{weight}{configured}: {because}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLost(Event):
    """No real server of the service is available any more."""

    kind = "service_lost"
    severity = Severity.CRITICAL
    consequence: str

    def text(self) -> str:
        return f"{self.service}: no real server left; {self.consequence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRecovered(Event):
    kind = "service_recovered"
    available: int
    configured: int

    def text(self) -> str:
        return f"{self.service}: has a real server again; {self.available} of {self.configured} available"


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackIn(Event):
    kind = "fallback_in"
    severity = Severity.CRITICAL
    fallback: str

    def text(self) -> str:
        return f"{self.service}: fallback server {self.fallback} takes over"


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackOut(Event):
    kind = "fallback_out"
    fallback: str

    def text(self) -> str:
        return f"{self.service}: fallback server {self.fallback} is withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckUnknown(Event):
    """A check could not be carried out; said once when it begins, not at every repetition."""

    kind = "check_unknown"
    severity = Severity.WARNING
    server: str
    check: str
    outcome: Outcome

    def text(self) -> str:
        return f"{self.service}: server {self.server} could not be checked ({self.check}): {self.outcome}; state kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLost(Event):
    """A worker process has ended or was killed, and its checks are not carried out until it is back.

    `in_a_row` counts its ends at once after its start; `retry_in` is in seconds.
    """

    kind = "worker_lost"
    severity = Severity.WARNING
    worker: str
    reason: str
    checks: int
    in_a_row: int
    retry_in: float

    def text(self) -> str:
        times = f" (at once after its start, {self.in_a_row} times in a row)" if self.in_a_row > 1 else ""
        again = f"in {self.retry_in:g} s" if self.retry_in else "at once"
        checks = f"{_counted(self.checks, 'check')} unknown until then, state kept"
        return f"{self.worker} was lost: {self.reason}{times}; it is started again {again}; {checks}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reloaded(Event):
    kind = "reloaded"
    changes: tuple[str, ...]

    def text(self) -> str:
        return "configuration reloaded: " + (listed(self.changes) if self.changes else "nothing changed")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadFailed(Event):
    kind = "reload_failed"
    severity = Severity.CRITICAL
    errors: tuple[str, ...]

    def text(self) -> str:
        return "configuration not reloaded, the old one goes on: " + listed(self.errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(Event):
    kind = "started"
    version: str
    services: int
    servers: int

    def text(self) -> str:
        return (
            f"healthd {self.version} started: {_counted(self.services, 'service')}, {_counted(self.servers, 'server')}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped(Event):
    kind = "stopped"
    reason: str

    def text(self) -> str:
        return f"healthd stopped: {self.reason}"
