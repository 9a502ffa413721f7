"""The three small servers: HTTP on loopback, well or sick on demand."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import errno
import random
import socket

ADDRESSES = ("127.0.0.11", "127.0.0.12", "127.0.0.13")

ATTEMPTS = 20
"""A port that is free on one address may be taken on another."""

PORTS = range(20_000, 32_768)
"""Below those that the kernel gives to clients (net.ipv4.ip_local_port_range)."""


class Mood(enum.Enum):
    WELL = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nOK\n"
    SICK = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    HANGING = b""


class SmallServer:
    """Answers every request according to its mood; `stop` closes its port, `start` opens the same one again."""

    def __init__(self, sock: socket.socket) -> None:
        self.address, self.port = sock.getsockname()
        self.mood = Mood.WELL
        self._sock: socket.socket | None = sock
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Transport] = set()

    @property
    def name(self) -> str:
        return f"{self.address}:{self.port}"

    async def start(self) -> None:
        """Opens the port again in good health, if it is not open already."""
        self.mood = Mood.WELL
        if self._server is None:
            sock, self._sock = self._sock or _bound(self.address, self.port), None
            self._server = await asyncio.get_running_loop().create_server(lambda: _Talk(self), sock=sock)

    def stop(self) -> None:
        """Closes the port and every connection: from now on the kernel refuses new ones."""
        if self._sock is not None:
            self._sock.close()
        if self._server is not None:
            self._server.close()
        self._sock = self._server = None
        for connection in list(self._connections):
            connection.abort()

    def opened(self, connection: asyncio.Transport) -> None:
        self._connections.add(connection)

    def closed(self, connection: asyncio.Transport) -> None:
        self._connections.discard(connection)

    def answer(self, connection: asyncio.Transport) -> None:
        if self.mood is not Mood.HANGING:
            connection.write(self.mood.value)
            connection.close()


class _Talk(asyncio.Protocol):
    """One connection. What is asked does not matter: the first bytes get the answer."""

    def __init__(self, server: SmallServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - create_server makes no other
        self._transport = transport
        self._server.opened(transport)

    def data_received(self, data: bytes) -> None:  # noqa: ARG002 - see above
        self._server.answer(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._server.closed(self._transport)


def three_servers() -> list[SmallServer]:
    """Three of them, bound to one port on three addresses, so that a reader can tell them apart.

    Raises:
        OSError: there is no loopback network of 127.0.0.0/8 here.

    """
    for _ in range(ATTEMPTS):
        sockets = [_bound(ADDRESSES[0], 0)]
        try:
            sockets += [_bound(address, sockets[0].getsockname()[1]) for address in ADDRESSES[1:]]
        except OSError as error:
            sockets[0].close()
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return [SmallServer(sock) for sock in sockets]
    raise OSError(errno.EADDRINUSE, f"no port is free on all of {', '.join(ADDRESSES)}")


def free_port() -> int:
    """A port of loopback that nobody has at the moment, nor is given by the kernel until somebody listens there."""
    for port in random.sample(PORTS, ATTEMPTS):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(errno.EADDRINUSE, "no port of 127.0.0.1 is free")


def _bound(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
    except BaseException:
        sock.close()
        raise
    return sock
