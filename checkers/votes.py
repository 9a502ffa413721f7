"""What the answers of several parts add up to. Pure.

An answer counts for passing, against it, or for neither: UNKNOWN means that the part was not really asked. The whole
passes when it has the votes that it needs; it fails when it cannot get them any more, even if all of which nothing is
known were for it; and else, once all have answered, nothing can be told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from checkers.outcome import Outcome, Status


@dataclass(slots=True)
class Vote:
    """A part's votes; `outcome` is None until it has answered."""

    name: str
    weight: int
    outcome: Outcome | None = None


def counted(votes: Iterable[Vote], needed: int) -> Status | None:
    """The status of the whole; None while those that have not answered yet can still decide it."""
    won = unknown = waiting = 0
    for vote in votes:
        match vote.outcome.status if vote.outcome is not None else None:
            case None:
                waiting += vote.weight
            case Status.PASS:
                won += vote.weight
            case Status.UNKNOWN:
                unknown += vote.weight
    if won >= needed:
        return Status.PASS
    if won + unknown + waiting < needed:
        return Status.FAIL
    return None if waiting else Status.UNKNOWN


def wish_of(votes: Iterable[Vote]) -> tuple[int | None, float | None, bool]:
    """What those ask for together: the smallest weight, the smallest factor, and whether one of them is degraded."""
    found = [vote.outcome for vote in votes if vote.outcome is not None]
    weights = [outcome.weight for outcome in found if outcome.weight is not None]
    factors = [outcome.factor for outcome in found if outcome.factor is not None]
    return min(weights, default=None), min(factors, default=None), any(outcome.degraded for outcome in found)
