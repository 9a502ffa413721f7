"""Answers to ICMP echoes that a test chooses, on a loopback whose kernel has been told to be silent (`SILENT`)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Iterator

import pytest

from checkers import icmp
from checkers.base import Outcome, Target
from checkers.icmp import V4, V6, Family
from checkers.ping import Ping
from tests.checkers.asking import ask

PING_SOCKETS = {"ipv4/ping_group_range": "0 2147483647"}
both = pytest.mark.parametrize("kind", [V4, V6], ids=["IPv4", "IPv6"])
either = pytest.mark.parametrize("settings", [{}, PING_SOCKETS], ids=["raw socket", "ping socket"])

LOOPBACK = {V4: "127.0.0.1", V6: "::1"}
SILENT = {"ipv4/icmp_echo_ignore_all": "1", "ipv6/icmp/echo_ignore_all": "1"}


class Echoing:
    """Answers echo requests on loopback in the kernel's stead, which has been told to be silent."""

    def __init__(self, kind: Family) -> None:
        self._kind = kind
        self._sock = socket.socket(kind.family, socket.SOCK_RAW | socket.SOCK_NONBLOCK, kind.protocol)

    async def request(self) -> bytes:
        """The next echo request, from its ICMP header on."""
        while True:
            packet = await asyncio.get_running_loop().sock_recv(self._sock, 4096)
            if self._kind is V4:
                packet = packet[20:]
            if packet[0] == self._kind.request:
                return packet

    def send(self, packet: bytes) -> None:
        blank = packet[:2] + b"\0\0" + packet[4:]
        self._sock.sendto(blank[:2] + struct.pack("!H", icmp.checksum(blank)) + blank[4:], (LOOPBACK[self._kind], 0))

    def close(self) -> None:
        self._sock.close()


@contextlib.contextmanager
def echoing(kind: Family) -> Iterator[Echoing]:
    server = Echoing(kind)
    try:
        yield server
    finally:
        server.close()


async def answered(
    kind: Family,
    answers: Callable[[bytes], list[bytes]],
    seconds: float,
    *,
    checker: Ping | None = None,
    delay: float = 0,
) -> Outcome:
    """What the check makes of these ICMP packets in answer to its request, which come `delay` seconds later."""
    loop = asyncio.get_running_loop()
    with echoing(kind) as server:

        async def serve() -> None:
            served: set[bytes] = set()  # what is sent here comes by here too
            while True:
                request = await server.request()
                for packet in answers(request) if request not in served else ():
                    loop.call_later(delay, server.send, packet)
                served.add(request)

        serving = asyncio.create_task(serve())
        try:
            return await ask(checker or Ping(), Target(address=LOOPBACK[kind]), seconds)
        finally:
            serving.cancel()
            await asyncio.wait([serving])
