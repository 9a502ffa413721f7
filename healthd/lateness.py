"""How late things happen because this process is too busy: measured at every start, and told."""

from __future__ import annotations

import logging
from dataclasses import dataclass

log = logging.getLogger(__name__)

LATE_START = 0.5
"""A check that starts later than this, in seconds, is worth a word to the administrator."""
TOLD_EVERY = 60.0

_STEPS = 1000  # milliseconds told apart; all that is later counts as the last


@dataclass(frozen=True, slots=True)
class LatenessView:
    """Of the starts of the last one to two minutes: how many, and by how many seconds late the given shares were."""

    starts: int
    p50: float
    p99: float
    longest: float


class Lateness:
    def __init__(self) -> None:
        self._counts, self._before = [0] * _STEPS, [0] * _STEPS
        self._longest = self._longest_before = 0.0
        self._ends = 0.0
        self._tell_after = 0.0
        self.too_late = 0
        """Starts later than `LATE_START` so far."""

    def add(self, late: float, now: float) -> None:
        if now >= self._ends:
            self._ends = now + TOLD_EVERY
            self._before, self._counts = self._counts, [0] * _STEPS
            self._longest_before, self._longest = self._longest, 0.0
        step = int(late * 1000)
        self._counts[step if step < _STEPS else -1] += 1
        self._longest = max(self._longest, late)
        if late > LATE_START:
            self._tell(late, now)

    def _tell(self, late: float, now: float) -> None:
        self.too_late += 1
        if now >= self._tell_after:
            self._tell_after = now + TOLD_EVERY
            log.warning("checks start %.2f s late: this process does not get enough CPU, or has too many checks", late)

    @property
    def view(self) -> LatenessView:
        counts = [new + old for new, old in zip(self._counts, self._before, strict=True)]
        longest = max(self._longest, self._longest_before)
        return LatenessView(sum(counts), _share(counts, 0.5, longest), _share(counts, 0.99, longest), longest)


def _share(counts: list[int], share: float, longest: float) -> float:
    """The upper end of the millisecond below which `share` of all are."""
    wanted = sum(counts) * share
    for step, count in enumerate(counts):
        wanted -= count
        if wanted <= 0:
            return min((step + 1) / 1000, longest)
    return longest
