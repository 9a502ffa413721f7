"""What the kernel is asked for by a check, and when."""

import asyncio
import dataclasses
import socket
import struct
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from checkers import net
from checkers.base import Checker, Target
from checkers.dialog import Dialog
from checkers.http import Http
from checkers.http2 import Http2
from checkers.http_proxy import HttpProxy
from checkers.http_session import HttpSession
from checkers.http_step import HttpStep
from checkers.sockets import Socket, family_of
from checkers.step import Step
from checkers.tcp import Tcp
from checkers.waiting import LoopIo
from checkers.websocket import WebSocket
from tests.checkers.asking import TRIES, ask_once
from tests.checkers.servers import TcpServer
from tests.checkers.speaking import at, saying
from tests.checkers.test_websocket import switching

OPTIONS = {
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1): "send at once",
    (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0): "acknowledge late",
    (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1): "acknowledge at once",
}
SEGMENTS_IN = 140  # linux/tcp.h: where tcpi_segs_in stands in struct tcp_info


class Told(Socket):
    """A socket that keeps what was asked of it: to send, to receive, and the options above."""

    asked: ClassVar[list[str]] = []

    def send(self, *arguments: Any) -> int:
        self.asked.append("send")
        return super().send(*arguments)

    def recv(self, *arguments: Any) -> bytes:
        self.asked.append("receive")
        return super().recv(*arguments)

    def setsockopt(self, *arguments: Any) -> None:
        if arguments in OPTIONS:
            self.asked.append(OPTIONS[arguments])
        super().setsockopt(*arguments)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    def open_socket(target: Target, kind: int) -> Told:
        return Told(family_of(target.address), kind | socket.SOCK_NONBLOCK)

    monkeypatch.setattr(net, "open_socket", open_socket)
    yield Told.asked
    Told.asked.clear()


async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says as soon as somebody comes what they all wait for: so nothing that they send has been heard before."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    await reader.read()


@pytest.mark.parametrize(
    "checker",
    [
        Http(proxy_protocol="v1"),
        HttpSession(proxy_protocol="v2", steps=(HttpStep(path="/"),)),
        HttpProxy(proxy_protocol="v2", host="www.example.com"),
        Http2(proxy_protocol="v2", tls=False),
        Dialog(proxy_protocol="v2", send="hello", expect="200"),
        Dialog(steps=(Step(send="hel"), Step(send="lo", expect="200"))),
    ],
    ids=lambda checker: type(checker).__name__,
)
async def test_the_second_of_two_sends_is_not_held_back(
    asked: list[str], tcp_server: TcpServer, checker: Checker
) -> None:
    """The kernel would wait with a small packet until the one before it is acknowledged, some 40 ms (Nagle)."""
    host, port = await tcp_server(answering)
    await ask_once(checker, Target(address=host, port=port))
    assert [what for what in asked if "send" in what] == ["send", "send at once", "send"]


async def test_the_kernel_is_told_once(asked: list[str], tcp_server: TcpServer) -> None:
    """For the third and all further sends of a connection, too: here the handshake, a text and the close frame."""
    host, port = await tcp_server(switching(b"\x88\x02\x03\xe8"))
    await ask_once(WebSocket(send="hello"), Target(address=host, port=port))
    assert [what for what in asked if "send" in what] == ["send", "send at once", "send", "send"]


@pytest.mark.parametrize(
    ("checker", "calls"),
    [(Tcp(), []), (Tcp(proxy_protocol="v1"), ["send"]), (Http(), ["acknowledge late", "send", "receive"])],
    ids=["tcp", "tcp with a header", "http"],
)
async def test_one_send_costs_nothing_more(
    asked: list[str], tcp_server: TcpServer, checker: Checker, calls: list[str]
) -> None:
    """Most checks ask once, and thousands of them are made each second."""
    host, port = await tcp_server(answering)
    await ask_once(checker, Target(address=host, port=port))
    assert asked == calls


async def packets(*, speaks_first: bool) -> int:
    """How many have come to a server with the request, its SYN included."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        host, port = listening.getsockname()
        async with net.connect(Target(address=host, port=port), speaks_first=speaks_first) as stream:
            await stream.send(b"hello")
            served, _ = await loop.sock_accept(listening)
            with served:
                assert await loop.sock_recv(served, 5) == b"hello"
                known = served.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, SEGMENTS_IN + 4)
                (number,) = struct.unpack_from("I", known, SEGMENTS_IN)
                return int(number)


async def test_what_is_sent_first_acknowledges_the_connection() -> None:
    """A packet fewer, and the server wakes up once. The kernel does not wait for ever: hence more than one try."""
    for _ in range(TRIES):
        if (spoken := await packets(speaks_first=True)) == 2:
            break
    assert (spoken, await packets(speaks_first=False)) == (2, 3)


async def test_what_comes_in_parts_is_acknowledged_at_once(asked: list[str], tcp_server: TcpServer) -> None:
    """A server that sends its answer in two pieces may wait with the second for that, some 40 ms (Nagle)."""
    go_on = asyncio.Event()

    async def in_parts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"one")
        await go_on.wait()
        writer.write(b"two")

    host, port = await tcp_server(in_parts)
    async with net.connect(Target(address=host, port=port), speaks_first=True) as stream:
        await stream.send(b"x")
        assert await stream.receive(3) == b"one"
        go_on.set()
        assert await stream.receive(3) == b"two"
        assert await stream.receive(3) == b""
    calls = ["acknowledge late", "send", "receive", "acknowledge at once", "receive", "receive"]
    assert [what for what in asked if what != "send at once"] == calls


class Counting(LoopIo):
    def __init__(self) -> None:
        self.turns = 0

    async def turn(self) -> None:
        self.turns += 1
        await super().turn()


async def test_others_have_their_turn_between_pieces(tcp_server: TcpServer) -> None:
    """After so many bytes, even if more are there already; a short answer waits for nobody."""
    io = Counting()
    target = dataclasses.replace(await at(tcp_server, saying(bytes(20 * net.TURN_AFTER))), io=io)
    async with net.connect(target) as stream:
        left = 20 * net.TURN_AFTER
        left -= len(await stream.receive(net.TURN_AFTER // 4))
        assert io.turns == 0
        while left:
            left -= len(await stream.receive(net.TURN_AFTER // 4))
    assert io.turns >= 20 * 4 // 5
