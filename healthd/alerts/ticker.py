"""Something that is done again and again, at a steady pace."""

from __future__ import annotations

from collections.abc import Callable

from healthd.clock import Clock, Timer


class Ticker:
    """Still until `set`. A tick that comes late puts off those after it: nothing is made up for."""

    def __init__(self, clock: Clock, act: Callable[[], None]) -> None:
        self._clock = clock
        self._act = act
        self._seconds: float | None = None
        self._timer: Timer | None = None

    def set(self, seconds: float | None) -> None:
        """From now on every `seconds`, the first time after so many; None stops it."""
        if seconds == self._seconds:
            return
        self._seconds = seconds
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._plan()

    def _plan(self) -> None:
        if self._seconds is not None:
            self._timer = self._clock.call_at(self._clock.monotonic() + self._seconds, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._act()
        if self._timer is None:
            self._plan()
