"""From outcomes to a verdict. Everything that decides whether a check counts as up or down is in this file.

It does no I/O, knows no time and keeps nothing: `step` takes a verdict and an outcome and gives the next verdict.

Rules:

1. UNKNOWN changes nothing: the question was not asked.
2. An undecided check is decided by its first outcome.
3. An up check goes down when `fall.count` of its last `fall.window` outcomes failed; a down one comes up when
   `rise.count` of its last `rise.window` passed. Where the two numbers are equal that means "in a row".
4. A change forgets what led to it: old failures are not held against a server that has come back.

              passed                      fall.count of fall.window failed
    UNDECIDED ------> UP                 UP  --------------------------->  DOWN
        |                                 ^                                  |
        +--- failed ---> DOWN             +----------------------------------+
                                            rise.count of rise.window passed

What is kept of the past (`recent`) is only what can still lead to a change, so it is empty for a check that goes on
as it was: that is what "settled" means, and why a server that has been well for a year costs no memory.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from checkers.base import Outcome, Status
from healthd.model import Threshold


class Health(enum.Enum):
    __hash__ = object.__hash__  # as of `Status`

    UNDECIDED = "unknown"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`recent` holds the outcomes since the first one that speaks against `health` and still counts, oldest first."""

    health: Health = Health.UNDECIDED
    recent: tuple[Outcome, ...] = ()

    @property
    def settled(self) -> bool:
        """False while the next outcomes may change the verdict: the check is then worth repeating soon."""
        return self.health is not Health.UNDECIDED and not self.recent


SETTLED = {health: Verdict(health) for health in Health}
"""With nothing that speaks against the health: what nearly all checks have, so that one of each is enough for all."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of health and the outcomes that decided it, oldest first."""

    old: Health
    new: Health
    outcomes: tuple[Outcome, ...]


_FIRST = {Status.PASS: Health.UP, Status.FAIL: Health.DOWN}
_CONTRARY = {Health.UP: Status.FAIL, Health.DOWN: Status.PASS}
_OPPOSITE = {Health.UP: Health.DOWN, Health.DOWN: Health.UP}


def contrary_of(health: Health) -> Status:
    """The status of the outcomes that speak against `health`, which is not UNDECIDED."""
    return _CONTRARY[health]


def step(verdict: Verdict, outcome: Outcome, *, fall: Threshold, rise: Threshold) -> tuple[Verdict, Transition | None]:
    """The verdict after `outcome`, and the transition if it changed."""
    if outcome.status is Status.UNKNOWN:
        return verdict, None
    health = verdict.health
    if health is Health.UNDECIDED:
        new = _FIRST[outcome.status]
        return SETTLED[new], Transition(health, new, (outcome,))
    contrary = _CONTRARY[health]
    if not verdict.recent and outcome.status is not contrary:
        return verdict, None
    threshold = fall if health is Health.UP else rise
    recent = (*verdict.recent, outcome)[-threshold.window :]
    against = tuple(o for o in recent if o.status is contrary)
    if len(against) >= threshold.count:
        new = _OPPOSITE[health]
        return SETTLED[new], Transition(health, new, against)
    return Verdict(health, _still_open(recent, contrary, threshold)), None


def _still_open(recent: tuple[Outcome, ...], contrary: Status, threshold: Threshold) -> tuple[Outcome, ...]:
    """`recent` without the oldest outcomes that can no longer take part in a change."""
    while recent:
        against = sum(o.status is contrary for o in recent)
        places_left = threshold.window - len(recent)
        if recent[0].status is contrary and against + places_left >= threshold.count:
            break
        recent = recent[1:]
    return recent
