"""What the controller shows of itself: frozen values that a reader can keep while the world goes on.

Points in time are wall-clock seconds since the epoch, ages are seconds before `Snapshot.at`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from checkers.base import Outcome, Status
from healthd.events import ServerEvent
from healthd.overrides import Admin, Freeze, Override
from healthd.policy import Standing
from healthd.tally import TallyView
from healthd.verdict import Health

STATES = tuple(state.value for state in (Health.UP, Health.DOWN, Health.UNDECIDED, Admin.DRAIN, Admin.MAINTENANCE))
"""`up`, `down`, `unknown`, `drain`, `maintenance`: what a server can be said to be in."""


@dataclass(frozen=True, slots=True)
class CheckView:
    """`progress` is "k/n" while k of the n outcomes have come that change the health, and else empty.

    `cause` is the newest of the outcomes that put it down, None while it is not. Weights that it asks for may be such
    that `adds_up` with those of other checks.
    """

    name: str
    health: Health
    settled: bool
    last: Outcome | None
    unknowns: int
    kind: str = ""
    progress: str = ""
    age: float | None = None
    cause: Outcome | None = None
    adds_up: bool = False


@dataclass(frozen=True, slots=True)
class ServerView:
    """`weight` is the one desired in the table, None while the server is not to be in it.

    `since` is when the server's health last changed, `transitions` how often it did; `told` is the event that was
    published of it last, None while it has been well from the start. A `degraded` one is up, but not as it should be.
    """

    address: str
    port: int
    health: Health
    weight: int | None
    configured_weight: int
    checks: tuple[CheckView, ...]
    override: Override | None = None
    since: float = 0.0
    transitions: int = 0
    told: ServerEvent | None = field(default=None, repr=False)
    degraded: bool = False

    @property
    def name(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    @property
    def last(self) -> Outcome | None:
        """The last outcome of the check that speaks against the server, or of its first check."""
        check = self.deciding
        return None if check is None else check.last

    @property
    def deciding(self) -> CheckView | None:
        """The first check that speaks against the server: not up, then one that may not stay so, then degraded."""
        against = (
            [check for check in self.checks if check.health is not Health.UP]
            or [check for check in self.checks if check.progress]
            or [check for check in self.checks if check.last and check.last.degraded]
        )
        return next(iter(against or self.checks), None)

    @property
    def state(self) -> str:
        """One of `STATES`: `drain` or `maintenance` while an operator has it so, else `up`, `down` or `unknown`."""
        return self.override.admin.value if self.override and self.override.held else self.health.value

    @property
    def reason(self) -> str:
        """Why it is not simply up, in words; empty if it is."""
        check = self.deciding
        found = ""
        if check is not None and (self.health is not Health.UP or check.progress or self.degraded):
            found = self._found(check)
        if self.override is None:
            return found
        set_by = f"{_what(self.override)} by {self.override.who}"
        return "; ".join(part for part in (set_by, self.override.reason, found) if part)

    def _found(self, check: CheckView) -> str:
        """The outcome that speaks against it; after a restart, until there is one, the cause that is remembered.

        One that passed says nothing of why it is still down or undecided.
        """
        if self.health is Health.UNDECIDED and (check.last is None or check.last.status is Status.PASS):
            return f"waits for the first outcome of check {check.name}"
        passes = self.health is Health.DOWN and bool(check.progress)
        return str((check.cause if passes else check.last or check.cause) or "")


def _what(override: Override) -> str:
    if override.cut:
        return "cut"
    if override.held:
        return override.admin.value
    return f"weight {override.weight} set"


@dataclass(frozen=True, slots=True)
class ServiceView:
    """`fallback` is who stands in when no server is available, empty if nobody does."""

    name: str
    virtual: str
    standing: Standing
    available: int
    fallback_active: bool
    fail_open: bool
    servers: tuple[ServerView, ...]
    scheduler: str = ""
    min_available: int = 1
    fallback: str = ""
    tally: TallyView | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Snapshot:
    services: tuple[ServiceView, ...]
    at: float = 0.0
    frozen: Freeze | None = None
