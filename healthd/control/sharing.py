"""Work that many ask for at once is done once, and what came of it is good for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Generic, TypeVar

from healthd.clock import Clock, Timer

T = TypeVar("T")


async def finished(slices: Generator[None, None, T]) -> T:
    """What `slices` gives in the end; at each of its pauses everything else has its turn."""
    while True:
        try:
            next(slices)
        except StopIteration as done:
            value: T = done.value
            return value
        await asyncio.sleep(0)


class Shared(Generic[T]):
    """`make` is called when somebody asks and there is nothing younger than `seconds`; nothing is kept for longer."""

    def __init__(self, clock: Clock, seconds: float, make: Callable[[], Awaitable[T]]) -> None:
        self._clock = clock
        self._seconds = seconds
        self._make = make
        self._task: asyncio.Task[T] | None = None
        self._timer: Timer | None = None

    @property
    def empty(self) -> bool:
        return self._task is None

    async def get(self) -> T:
        """Raises what `make` raises, to everybody who waited for it."""
        if self._task is None:
            self._task = asyncio.create_task(self._made())
            self._task.add_done_callback(self._keep)
        return await asyncio.shield(self._task)  # who goes away does not take it from the others

    async def _made(self) -> T:
        return await self._make()

    def _keep(self, task: asyncio.Task[T]) -> None:
        failed = task.cancelled() or task.exception() is not None
        if task is not self._task:
            return  # forgotten meanwhile
        if failed:
            self.drop()
        else:
            self._timer = self._clock.call_at(self._clock.monotonic() + self._seconds, self.drop)

    def forget(self) -> None:
        """Who asks from now on gets something new; who waits already gets what he waits for."""
        if self._timer is not None:
            self._timer.cancel()
        self._task = self._timer = None

    def drop(self) -> None:
        """Forgets what there is, and gives up what is under way."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None and not self._task.done():
            self._task.cancel()
        self._task = self._timer = None
