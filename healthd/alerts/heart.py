"""The sign of life of one alert: at a steady pace, one at a time, and only while healthd does what it is for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from healthd.alerts.ticker import Ticker
from healthd.clock import Clock


class Heart:
    """Still until `begin`. `beat` gives the sign once; one that takes longer than the pace costs the next."""

    def __init__(self, name: str, clock: Clock, beat: Callable[[], Coroutine[None, None, None]]) -> None:
        self._name = name
        self._beat = beat
        self._ticker = Ticker(clock, self._tick)
        self._stalled: Callable[[], str] = str
        self._beating: asyncio.Task[None] | None = None

    def begin(self, stalled: Callable[[], str], seconds: float | None) -> None:
        """It is silent while `stalled` says what does not advance."""
        self._stalled = stalled
        self.set(seconds)

    def set(self, seconds: float | None) -> None:
        """See `Ticker.set`."""
        self._ticker.set(seconds)

    def stop(self) -> None:
        self._ticker.set(None)
        if self._beating is not None:
            self._beating.cancel()

    async def stopped(self) -> None:
        if self._beating is not None:
            await asyncio.wait([self._beating])

    def _tick(self) -> None:
        if not self._stalled() and (self._beating is None or self._beating.done()):
            self._beating = asyncio.create_task(self._beat(), name=f"heartbeat of alert {self._name}")
