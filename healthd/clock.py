"""The only place that knows real time. Everything else is handed a `Clock`, and tests step theirs by hand.

`monotonic` is for everything that is measured or waited for; `wall` is for people.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self


class Timer(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    def monotonic(self) -> float:
        """Seconds from a fixed point; never goes back."""

    def wall(self) -> float:
        """Seconds since the epoch."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Calls back once at the monotonic time `when`, on the running loop."""


class SystemClock:
    """Real time. asyncio's loop counts in `time.monotonic` too, so the two agree."""

    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time)

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_at(when, callback)


async def sleep_until(clock: Clock, when: float) -> None:
    done = asyncio.Event()
    timer = clock.call_at(when, done.set)
    try:
        await done.wait()
    finally:
        timer.cancel()


class Deadline:
    """`async with Deadline(clock, seconds)`: cancels what runs inside when the time is over, and raises TimeoutError.

    The same promise as `asyncio.timeout`, kept by any clock. `late` tells by how many seconds the deadline itself was
    missed, because this process was too busy to see it.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self.struck = False
        self.late = 0.0

    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a Deadline needs a task to cancel")
        self._task = task
        self._cancelling = task.cancelling()
        self._due = self._clock.monotonic() + self._seconds
        self._timer = self._clock.call_at(self._due, self._strike)
        return self

    def _strike(self) -> None:
        self.struck = True
        self.late = self._clock.monotonic() - self._due
        self._task.cancel()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        # uncancel() tells our own cancellation from one that came from outside at the same time.
        if self.struck and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error


class ManualClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, *, monotonic: float = 1000.0, wall: float = 1_800_000_000.0) -> None:
        self._now = monotonic
        self._offset = wall - monotonic
        self._timers: list[tuple[float, int, _ManualTimer]] = []
        self._order = itertools.count()

    def monotonic(self) -> float:
        return self._now

    def wall(self) -> float:
        return self._now + self._offset

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        timer = _ManualTimer(callback)
        heapq.heappush(self._timers, (when, next(self._order), timer))
        return timer

    def jump(self, seconds: float) -> None:
        """Sets the clock on the wall, as an administrator or a time server may."""
        self._offset += seconds

    async def advance(self, seconds: float) -> None:
        """Moves on by `seconds`, stopping at every timer on the way and letting the tasks it wakes run."""
        end = self._now + seconds
        await settle()
        while self._timers and self._timers[0][0] <= end:
            when, _, timer = heapq.heappop(self._timers)
            self._now = max(self._now, when)
            timer.fire()
            await settle()
        self._now = end


class _ManualTimer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self._callback = None

    def fire(self) -> None:
        if self._callback is not None:
            self._callback()
            self._callback = None


async def settle(turns: int = 20) -> None:
    """Lets every task that can run without the outside world do so: `turns` turns of the loop."""
    for _ in range(turns):
        await asyncio.sleep(0)
