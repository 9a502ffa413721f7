"""How late things happen because this process is too busy: measured at every start, and told."""

from __future__ import annotations

import logging

from healthd.schedulerview import STEPS, LatenessView

log = logging.getLogger(__name__)

LATE_START = 0.5
"""A check that starts later than this, in seconds, is worth a word to the administrator."""
TOLD_EVERY = 60.0


class Lateness:
    def __init__(self) -> None:
        self._counts, self._before = [0] * STEPS, [0] * STEPS
        self._longest = self._longest_before = 0.0
        self._ends = 0.0
        self._tell_after = 0.0
        self.too_late = 0
        """Starts later than `LATE_START` so far."""

    def add(self, late: float, now: float) -> None:
        if now >= self._ends:
            self._ends = now + TOLD_EVERY
            self._before, self._counts = self._counts, [0] * STEPS
            self._longest_before, self._longest = self._longest, 0.0
        step = int(late * 1000)
        self._counts[step if step < STEPS else -1] += 1
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
        return LatenessView(tuple((step, count) for step, count in enumerate(counts) if count), longest)
