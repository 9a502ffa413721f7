"""Taking connections, at a pace that checks can bear: to set one up and take it down again costs half a millisecond.

Who opens more, and be it thousands at once, waits in the kernel's queue.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable

from healthd.clock import Clock, sleep_until

EVERY = 0.004
"""Seconds between two connections, on all listeners together."""
AT_ONCE = 50
"""Connections that may come at once where none have come for a while."""
BACKLOG = 1024
HANDSHAKES = 32
"""TLS handshakes that are under way on a listener; what they cost, a peer decides."""
HANDSHAKE_TIME = 10.0
PAUSE = 1.0
"""Seconds without taking any when the kernel has no room for another one."""


class Pace:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._paid_until = 0.0

    async def next(self) -> None:
        """Returns when one more may come."""
        now = self._clock.monotonic()
        self._paid_until = max(self._paid_until, now) + EVERY
        if self._paid_until > now + AT_ONCE * EVERY:
            await sleep_until(self._clock, self._paid_until - AT_ONCE * EVERY)


class Acceptor:
    """Hands every connection to a protocol that `make` makes, from its construction to `close`."""

    def __init__(
        self,
        listening: socket.socket,
        context: ssl.SSLContext | None,
        make: Callable[[], asyncio.Protocol],
        pace: Pace,
        clock: Clock,
    ) -> None:
        self._listening = listening
        self._context = context
        self._make = make
        self._pace = pace
        self._clock = clock
        self._room = asyncio.Semaphore(HANDSHAKES)
        self._handshakes: set[asyncio.Task[None]] = set()
        listening.listen(BACKLOG)
        self._task = asyncio.create_task(self._accept())

    async def close(self) -> None:
        """Takes no more. Connections that there are go on, unless they are still being negotiated."""
        tasks = [self._task, *self._handshakes]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._pace.next()
            await self._room.acquire()
            try:
                connection, _ = await loop.sock_accept(self._listening)
            except OSError:  # no descriptor or no memory is left, or the peer has gone already
                self._room.release()
                await sleep_until(self._clock, self._clock.monotonic() + PAUSE)
                continue
            except asyncio.CancelledError:
                self._room.release()
                raise
            task = asyncio.create_task(self._begin(connection))
            self._handshakes.add(task)
            task.add_done_callback(self._begun)

    async def _begin(self, connection: socket.socket) -> None:
        seconds = None if self._context is None else HANDSHAKE_TIME
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(self._make, connection, ssl=self._context, ssl_handshake_timeout=seconds)
        except OSError:  # also what the peer says that is no TLS
            connection.close()

    def _begun(self, task: asyncio.Task[None]) -> None:
        self._handshakes.discard(task)
        self._room.release()
