"""Bounds on connections, held before a byte of HTTP is understood.

There are so many connections at most, and on TCP one address has only a part of them. When one too many comes, the
one that has been idle longest goes; where none is idle the new one is turned away. A peer that does not read what it
asked for is cut off. What a request may send, and how slowly, the HTTP parser's and the handlers' bounds say.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import cast

from healthd.clock import Clock, Timer

STALLED = 20.0
"""Seconds that a peer may leave unread what was sent."""

_FULL = b'{"error": {"status": "busy", "messages": ["too many connections; try again later"]}}'
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nConnection: close\r\nRetry-After: 5\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_FULL), _FULL)
)


class Crowd:
    """So many connections at `most`, and a quarter of them from one address."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._most_of_one = max(2, most // 4)
        self._guards: dict[Guard, None] = {}  # by the time of the last request: the first has been idle longest
        self._peers: Counter[str] = Counter()
        self._transports: dict[asyncio.BaseTransport, Guard] = {}
        self.refused = 0

    def __len__(self) -> int:
        return len(self._guards)

    def admit(self, guard: Guard, transport: asyncio.BaseTransport) -> bool:
        """Whether the connection may stay; another one may have gone for it."""
        crowded = bool(guard.peer) and self._peers[guard.peer] >= self._most_of_one
        if crowded or len(self._guards) >= self._most:
            idle = (each for each in self._guards if not each.busy and (not crowded or each.peer == guard.peer))
            longest = next(idle, None)
            if longest is None:
                self.refused += 1
                return False
            longest.cut()
        self._guards[guard] = None
        self._peers[guard.peer] += 1
        self._transports[transport] = guard
        return True

    def leave(self, guard: Guard, transport: asyncio.BaseTransport) -> None:
        if self._transports.pop(transport, None) is None:
            return
        del self._guards[guard]
        self._peers[guard.peer] -= 1
        if not self._peers[guard.peer]:
            del self._peers[guard.peer]

    def begin(self, transport: asyncio.BaseTransport | None) -> None:
        """A request of this connection is under way."""
        self._note(transport, busy=True)

    def end(self, transport: asyncio.BaseTransport | None) -> None:
        self._note(transport, busy=False)

    def _note(self, transport: asyncio.BaseTransport | None, *, busy: bool) -> None:
        guard = self._transports.get(transport) if transport is not None else None
        if guard is not None:
            guard.busy = busy
            del self._guards[guard]
            self._guards[guard] = None


class Guard(asyncio.Protocol):
    """Stands between a connection and the protocol that speaks HTTP on it."""

    def __init__(self, inner: asyncio.Protocol, crowd: Crowd, clock: Clock) -> None:
        self._inner = inner
        self._crowd = crowd
        self._clock = clock
        self._transport: asyncio.Transport | None = None
        self._admitted = False
        self._stalled: Timer | None = None
        self.busy = False
        self.peer = ""
        """The address at the other end; empty on a unix socket."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        name = transport.get_extra_info("peername")
        self.peer = str(name[0]) if isinstance(name, tuple) else ""
        self._admitted = self._crowd.admit(self, transport)
        if self._admitted:
            self._inner.connection_made(transport)
        else:
            self._transport.write(FULL)
            self._transport.close()

    def cut(self) -> None:
        """Ends the connection at once."""
        if self._transport is not None:
            self._crowd.leave(self, self._transport)
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.resume_writing()
        if self._transport is not None:
            self._crowd.leave(self, self._transport)
        if self._admitted:
            self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._admitted:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._admitted else None

    def pause_writing(self) -> None:
        self._stalled = self._clock.call_at(self._clock.monotonic() + STALLED, self.cut)
        if self._admitted:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
            if self._admitted:
                self._inner.resume_writing()
