"""Which outcomes of a check travel to the parent. Pure; time comes in as a number.

An outcome stays behind only while all of this holds:

1. The same status, code and wish for a weight travelled last, less than `REFRESH` seconds ago.
2. It is UNKNOWN; or as many conclusive outcomes of its status have travelled in a row as the check's larger window.

So many of one kind lead every verdict, whatever it was, to the health that they speak for, with nothing left open: one
more changes nothing. That needs no knowledge of the verdict, so nothing that happens to it on the other side can make
the sieve wrong. How often it was repeated and how long that took goes with the next outcome that travels; what is lost
is its newest detail until then.
"""

from __future__ import annotations

from dataclasses import dataclass

from checkers.base import Outcome, Status
from healthd.config.values import CheckConfig
from healthd.phases import NOTHING, Spent
from healthd.tally import Repeated

REFRESH = 10.0
"""Seconds after which a steady outcome travels again, so that what is shown of it is never older."""


@dataclass(slots=True)
class Sieve:
    """`run` counts the conclusive outcomes in a row of the status `of`; `held` are those that have stayed behind.

    The first repetition of a steady outcome comes `early` seconds before its time. Where that differs from check to
    check they do not all travel in the same second, after they have all begun in one.
    """

    window: int
    early: float = 0.0
    of: Status | None = None
    run: int = 0
    last: tuple[Status, str, int | None, float | None, bool] | None = None
    sent: float = 0.0
    held: Repeated | None = None

    @classmethod
    def for_check(cls, check: CheckConfig, early: float = 0.0) -> Sieve:
        return cls(max(check.fall.window, check.rise.window), early)

    def restart(self) -> None:
        """Nothing counts as having travelled."""
        self.of, self.run, self.last = None, 0, None

    def lets_through(self, outcome: Outcome, now: float, spent: Spent = NOTHING) -> bool:
        steady = outcome.status is Status.UNKNOWN
        if not steady:
            self.run = self.run + 1 if outcome.status is self.of else 1
            self.of = outcome.status
            steady = self.run > self.window
        kind = (outcome.status, outcome.code, outcome.weight, outcome.factor, outcome.degraded)
        repeated = steady and kind == self.last
        if repeated and now - self.sent < REFRESH:
            self._hold(outcome, spent)
            return False
        self.last, self.sent = kind, now if repeated else now - self.early
        return True

    def _hold(self, outcome: Outcome, spent: Spent) -> None:
        if self.held is None:
            self.held = Repeated(outcome.status, outcome.code)
        self.held.durations.add(outcome.seconds, spent)

    def taken(self) -> Repeated | None:
        """What has stayed behind since this was last called; they are all of one kind."""
        held, self.held = self.held, None
        return held
