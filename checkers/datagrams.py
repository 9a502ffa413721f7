from __future__ import annotations

import socket
from types import TracebackType
from typing import Self

from checkers.base import Code, Phase, Target
from checkers.fault import ended
from checkers.sockets import open_socket

_IP_RECVERR, _IPV6_RECVERR = 11, 25  # linux/in.h, linux/in6.h

# Looking up a member of an enum costs as much as a call, and these are needed by every check.
_CONNECT, _TALK = Phase.CONNECT, Phase.TALK
_DATAGRAMS = int(socket.SOCK_DGRAM)


class Datagrams:
    """A connected UDP socket: only the target's answers arrive, and an ICMP error is seen as one."""

    __slots__ = ("_heard", "_sock", "_target", "_watch")

    def __init__(self, target: Target) -> None:
        self._target = target
        self._heard = False

    async def __aenter__(self) -> Self:
        target = self._target
        target.trace.enter(_CONNECT, f"opening a UDP socket to {target.where}")
        self._sock = open_socket(target, _DATAGRAMS)
        try:
            self._sock.connect((target.address, target.port))
            self._watch = target.io.watch(self._sock.fileno())
        except OSError as error:
            self._sock.close()
            raise ended(error, Code.L4CON, f"sending to {target.where}") from error
        target.trace.enter(_TALK, f"waiting for an answer from {target.where}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sock.close()

    async def send(self, data: bytes) -> None:
        try:
            while True:
                try:
                    self._sock.send(data)
                except BlockingIOError:
                    await self._watch.writable()
                else:
                    return
        except OSError as error:
            raise ended(error, Code.L4CON, f"sending to {self._target.where}") from error

    async def receive(self, limit: int) -> bytes:
        """The next datagram, cut at `limit` bytes."""
        try:
            while True:
                await self._watch.readable()
                try:
                    datagram = self._sock.recv(limit)
                    break
                except BlockingIOError:
                    self._watch.drained()
        except OSError as error:
            raise ended(error, Code.L4CON, f"waiting for an answer from {self._target.where}") from error
        if not self._heard:
            self._heard = True
            self._target.trace.note("first datagram has come")
        return datagram


class HearingDatagrams(Datagrams):
    """A UDP socket that hears of every ICMP error: "host unreachable" too, which Linux else takes for passing."""

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        try:
            if self._sock.family == socket.AF_INET6:
                self._sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
            else:
                self._sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        except OSError as error:
            self._sock.close()
            raise ended(error, Code.SOCKERR, "opening a UDP socket") from error
        return self

    def local(self) -> tuple[str, int]:
        """Address and port of this end."""
        address: tuple[str, int] = self._sock.getsockname()[:2]
        return address
