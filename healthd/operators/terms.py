"""What ends by itself after a time. Measured in monotonic time, so that a jump of the wall clock ends nothing."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Container, Hashable
from typing import Generic, TypeVar

from healthd.clock import Clock, Timer

Key = TypeVar("Key", bound=Hashable)

MOST_STALE = 100
"""Entries that are left in the queue though they have been set anew."""


class Terms(Generic[Key]):
    """One timer for all of them; those that are over at the same time are told of together, by `over`."""

    def __init__(self, clock: Clock, over: Callable[[list[Key]], None]) -> None:
        self._clock = clock
        self._over = over
        self._ends: dict[Key, float] = {}
        self._queue: list[tuple[float, int, Key]] = []
        self._number = 0
        self._timer: Timer | None = None
        self._timer_at = 0.0

    def set(self, key: Key, seconds: float | None) -> None:
        """`key` ends in so many seconds from now; with None never by itself."""
        self._ends.pop(key, None)
        if seconds is not None:
            end = self._ends[key] = self._clock.monotonic() + seconds
            self._number += 1
            heapq.heappush(self._queue, (end, self._number, key))
        self._arm()

    def left(self, key: Key) -> float | None:
        """Seconds until it ends, None if it does not by itself."""
        end = self._ends.get(key)
        return None if end is None else max(0.0, end - self._clock.monotonic())

    def keep(self, keys: Container[Key]) -> None:
        """Of all others none ends by itself any more."""
        self._ends = {key: end for key, end in self._ends.items() if key in keys}
        self._arm()

    def _arm(self) -> None:
        if len(self._queue) > 2 * len(self._ends) + MOST_STALE:
            self._queue = [entry for entry in self._queue if self._ends.get(entry[2]) == entry[0]]
            heapq.heapify(self._queue)
        while self._queue and self._ends.get(self._queue[0][2]) != self._queue[0][0]:
            heapq.heappop(self._queue)  # it was set anew, or is no more
        due = self._queue[0][0] if self._queue else None
        if self._timer is not None and due != self._timer_at:
            self._timer.cancel()
            self._timer = None
        if due is not None and self._timer is None:
            self._timer_at = due
            self._timer = self._clock.call_at(due, self._strike)

    def _strike(self) -> None:
        self._timer = None
        now = self._clock.monotonic()
        over = []
        while self._queue and self._queue[0][0] <= now:
            end, _, key = heapq.heappop(self._queue)
            if self._ends.get(key) == end:
                del self._ends[key]
                over.append(key)
        self._arm()
        if over:
            self._over(over)
