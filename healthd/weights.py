"""What weight a server asks for, and when it gets it. Pure: time comes in as a number.

Rules:

1. Only an outcome that passed asks for anything: by `weight`, by `factor`, or by being degraded, where the service says
   what that means. What it asks for is the smallest of these; of several checks, again the smallest. The weights of
   checks that add up (`Checker.adds_up`) are one wish together: the configured weight and all by which they differ
   from it, from 0 to what the kernel takes.
2. A factor is of the configured weight. One above 0 of a weight above 0 makes at least 1, and nothing makes more than
   the kernel takes.
3. A server that asks for weight 0 gets it at once. Any other change comes `Damping.interval` seconds after the last one
   at the earliest, and is at least `Damping.step`, unless it leads away from 0, or back to the configured weight.
4. That a server is degraded, or is so no more, is told no more often than its weight changes.
5. A server that comes up begins with the weight that it asks for then.

A server that is not up has no weight whatever it asks for, and an operator's weight comes first: that is the policy's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from checkers.base import Checker, Outcome, Status
from healthd.model import MAX_WEIGHT


def slowed(outcome: Outcome, limit: float) -> Outcome:
    """An outcome that took longer than the check's `limit` in seconds: it passed, but degraded."""
    if outcome.status is not Status.PASS or outcome.degraded:
        return outcome
    took = f"slow: {outcome.seconds * 1000:.0f} ms, more than {limit * 1000:g} ms"
    return replace(outcome, detail=f"{took}; {outcome.detail}" if outcome.detail else took, degraded=True)


class Wish(NamedTuple):
    """What the newest outcome that passed of a check asks for; `adds_up` is about its weight."""

    weight: int | None = None
    factor: float | None = None
    degraded: bool = False
    adds_up: bool = False

    @classmethod
    def of_outcome(cls, outcome: Outcome, checker: Checker) -> Wish:
        """What an outcome of `checker` that passed asks for."""
        if outcome.weight is outcome.factor is None and not outcome.degraded:
            return NOTHING
        return cls(outcome.weight, outcome.factor, outcome.degraded, checker.adds_up)

    def __str__(self) -> str:
        """Empty for nothing."""
        parts = [] if self.weight is None else [f"weight {self.weight}"]
        if self.factor is not None:
            parts.append(f"{self.factor * 100:g}% of its weight")
        if self.weight is not None and self.adds_up:
            parts[0] += ", which adds up with that of other such checks"
        asks = [f"asks for {' and '.join(parts)}"] if parts else []
        return ", ".join(["degraded", *asks] if self.degraded else asks)

    def of(self, configured: int, degraded: float) -> int | None:
        """The weight asked for in place of the `configured` one; `degraded` is the factor that being so means.

        Without a weight that adds up.
        """
        asked = [] if self.weight is None or self.adds_up else [self.weight]
        if self.factor is not None:
            asked.append(share(configured, self.factor))
        if self.degraded and degraded != 1.0:
            asked.append(share(configured, degraded))
        return min(asked, default=None)


NOTHING = Wish()


def share(configured: int, factor: float) -> int:
    """Rule 2."""
    weight = int(min(configured * factor, MAX_WEIGHT) + 0.5)
    return max(weight, 1) if configured and factor else weight


@dataclass(frozen=True, slots=True)
class Step:
    """The smallest change: a number, or with `percent` a share of the configured weight."""

    value: int
    percent: bool = False

    def of(self, configured: int) -> float:
        return configured * self.value / 100 if self.percent else self.value

    def __str__(self) -> str:
        return f"{self.value}%" if self.percent else str(self.value)


@dataclass(frozen=True, slots=True)
class Damping:
    """Of a service: what being degraded means, and how large and how far apart changes of a weight have to be."""

    degraded: float = 1.0
    step: Step = Step(5, percent=True)
    interval: float = 10.0


AS_USUAL = Damping()


class Weighed(NamedTuple):
    """What holds of a server now: the weight in place of the configured one, if any, and whether it is degraded.

    `at` is the monotonic time of the last change. `pending`: another one is put off, and is to be looked at again.
    """

    wish: int | None = None
    degraded: bool = False
    at: float = float("-inf")
    pending: bool = False


AS_CONFIGURED = Weighed()


def asked(wishes: Iterable[Wish], configured: int, damping: Damping) -> Weighed:
    """What a server asks for whose checks have these wishes."""
    known = list(wishes)
    weights = [weight for wish in known if (weight := wish.of(configured, damping.degraded)) is not None]
    changes = [wish.weight - configured for wish in known if wish.adds_up and wish.weight is not None]
    if changes:
        weights.append(min(max(configured + sum(changes), 0), MAX_WEIGHT))
    return Weighed(min(weights, default=None), degraded=any(wish.degraded for wish in known))


def begun(wanted: Weighed, now: float) -> Weighed:
    """What holds of a server that begins `now` with what it asks for."""
    return AS_CONFIGURED if wanted == AS_CONFIGURED else wanted._replace(at=now)


def damped(before: Weighed, wanted: Weighed, configured: int, damping: Damping, now: float) -> Weighed:
    """What holds from `now` on, where `before` did and `wanted` is asked for."""
    old = configured if before.wish is None else before.wish
    new = configured if wanted.wish is None else wanted.wish
    wish = wanted.wish if _large_enough(old, wanted.wish, damping.step.of(configured)) else before.wish
    changes = (configured if wish is None else wish) != old or wanted.degraded is not before.degraded
    if not changes and (before.wish, before.pending) == (wish, False):
        return before
    if not changes:
        return before._replace(wish=wish, pending=False)
    if new and now < before.at + damping.interval:
        return before._replace(pending=True)
    return Weighed(wish, wanted.degraded, now)


def _large_enough(old: int, wish: int | None, step: float) -> bool:
    return wish is None or 0 in {old, wish} or abs(wish - old) >= step
