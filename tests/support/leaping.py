"""A clock for a program that runs its own event loop, in which nobody could step one by hand."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable

from healthd.clock import ManualClock, Timer

REST = 0.01
"""Real seconds between two timers, in which everything else has its turn."""


class LeapingClock(ManualClock):
    """Leaps from timer to timer: however slow this machine is, none of them is late."""

    def __init__(self) -> None:
        super().__init__()
        self._leaping = False

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        timer = super().call_at(when, callback)
        self._go_on()
        return timer

    def _go_on(self) -> None:
        if self._timers and not self._leaping:
            self._leaping = True
            asyncio.get_running_loop().call_later(REST, self._leap)

    def _leap(self) -> None:
        self._leaping = False
        when, _, timer = heapq.heappop(self._timers)
        self._now = max(self._now, when)
        timer.fire()
        self._go_on()
