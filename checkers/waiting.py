"""How a check waits for its sockets: the seam between a checker's straight-line code and whoever runs it.

`Target.io` is an `Io`. The one here waits on the running asyncio loop, so a check can be awaited in any task. healthd
runs checks that wait for nothing but their sockets on an `Io` of its own, which costs far less.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol


class Watch(Protocol):
    """What is known of one socket. Waiting may end early: whoever waited tries, and on EAGAIN waits again."""

    @property
    def broken(self) -> bool:
        """False if the socket is known to be without error; else it has to be asked."""

    @property
    def ended(self) -> bool:
        """True if the peer is known to have ended its stream; what it sent before may still have to be read."""

    def readable(self) -> Awaitable[None]:
        """Until there is something to read, the end of the stream and an error included."""

    def writable(self) -> Awaitable[None]:
        """Until a connection is made or has failed, or there is room again after EAGAIN."""

    def drained(self) -> None:
        """A read has taken all that there was, so the next one has to wait."""


class Io(Protocol):
    def watch(self, fd: int) -> Watch:
        """For a socket that is connecting or connected, once for each; it ends when the socket is closed."""

    def turn(self) -> Awaitable[None]:
        """Lets everything else have its turn, the deadline included."""


class LoopIo:
    """Waiting on the running asyncio loop."""

    def watch(self, fd: int) -> LoopWatch:
        return LoopWatch(fd)

    async def turn(self) -> None:
        await asyncio.sleep(0)


class LoopWatch:
    broken = True
    ended = False

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._loop = asyncio.get_running_loop()

    async def readable(self) -> None:
        await self._until(self._loop.add_reader, self._loop.remove_reader)

    async def writable(self) -> None:
        await self._until(self._loop.add_writer, self._loop.remove_writer)

    async def _until(self, add: Callable[..., object], remove: Callable[[int], object]) -> None:
        ready = self._loop.create_future()
        add(self._fd, _set, ready)
        try:
            await ready
        finally:
            remove(self._fd)

    def drained(self) -> None:
        """The loop's selector tells again by itself."""


def _set(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


LOOP = LoopIo()
