"""What a scheduler shows of itself, and several of them together: frozen values for whoever watches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

STEPS = 1000
"""Milliseconds of lateness that are told apart; all that is later counts as the last."""


@dataclass(frozen=True, slots=True)
class LatenessView:
    """Of the starts of the last one to two minutes.

    `counts` has for every millisecond in which there were any, in order: that millisecond, and how many starts were
    late by it and less than one more. `longest` is in seconds.
    """

    counts: tuple[tuple[int, int], ...] = ()
    longest: float = 0.0

    @property
    def starts(self) -> int:
        return sum(count for _, count in self.counts)

    @property
    def p50(self) -> float:
        return self.share(0.5)

    @property
    def p99(self) -> float:
        return self.share(0.99)

    def share(self, share: float) -> float:
        """The upper end, in seconds, of the millisecond below which so many of all are; 0 without a start."""
        wanted = self.starts * share
        for step, count in self.counts:
            wanted -= count
            if wanted <= 0 and step < STEPS - 1:
                return min((step + 1) / 1000, self.longest)
        return self.longest


@dataclass(frozen=True, slots=True)
class SchedulerView:
    """`checks` run for `jobs`: `under_way` are being carried out, `waiting` are due and have no descriptor.

    `too_late` are all since the start.
    """

    jobs: int = 0
    checks: int = 0
    waiting: int = 0
    under_way: int = 0
    too_late: int = 0
    lateness: LatenessView = LatenessView()


def together(views: Iterable[SchedulerView]) -> SchedulerView:
    """As if one scheduler did what all of them do."""
    several = list(views)
    counts: Counter[int] = Counter()
    for view in several:
        counts.update(dict(view.lateness.counts))
    return SchedulerView(
        jobs=sum(view.jobs for view in several),
        checks=sum(view.checks for view in several),
        waiting=sum(view.waiting for view in several),
        under_way=sum(view.under_way for view in several),
        too_late=sum(view.too_late for view in several),
        lateness=LatenessView(
            tuple(sorted(counts.items())), max((view.lateness.longest for view in several), default=0.0)
        ),
    )
