"""What the controller shows of itself: frozen values that a reader can keep while the world goes on."""

from __future__ import annotations

from dataclasses import dataclass

from checkers.base import Outcome
from healthd.policy import Standing
from healthd.verdict import Health


@dataclass(frozen=True, slots=True)
class CheckView:
    name: str
    health: Health
    settled: bool
    last: Outcome | None
    unknowns: int


@dataclass(frozen=True, slots=True)
class ServerView:
    """`weight` is the one desired in the table, None while the server is not to be in it."""

    address: str
    port: int
    health: Health
    weight: int | None
    configured_weight: int
    checks: tuple[CheckView, ...]

    @property
    def last(self) -> Outcome | None:
        """The last outcome of the check that speaks against the server, or of its first check."""
        worst = [check.last for check in self.checks if check.health is not Health.UP]
        return next(iter(worst or [check.last for check in self.checks]), None)


@dataclass(frozen=True, slots=True)
class ServiceView:
    name: str
    virtual: str
    standing: Standing
    available: int
    fallback_active: bool
    fail_open: bool
    servers: tuple[ServerView, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    services: tuple[ServiceView, ...]
