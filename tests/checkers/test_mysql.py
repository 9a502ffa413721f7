"""MySQL without a login, from hostile servers and from odd ones; logins are in test_relay.py and tests/real."""

from __future__ import annotations

import asyncio

import pytest

from checkers.base import Code, Outcome, Status
from checkers.mysql import Mysql
from tests.checkers.asking import ENOUGH, ask
from tests.checkers.certificates import Pki
from tests.checkers.databases import GREETING, OK, closing, packet
from tests.checkers.servers import Handler, TcpServer
from tests.checkers.speaking import at, saying
from tests.support.processes import until

HELLO = packet(0, GREETING)


async def asked(
    tcp_server: TcpServer, handler: Handler, checker: Mysql | None = None, seconds: float = ENOUGH
) -> Outcome:
    return await ask(checker or Mysql(), await at(tcp_server, handler), seconds)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (packet(2, OK), 'L7OK version "8.0.36" lets clients log in'),
        (packet(2, b"\xff\x15\x04#28000no"), 'L7OK version "8.0.36" answers clients: 1045 "no"'),
        (packet(2, b"\xff\xe3\x04#08004no"), 'L7OK version "8.0.36" answers clients: 1251 "no"'),
        (packet(2, b"\xff\x1d\x04#08S01bye"), 'L7STS version "8.0.36" refuses clients: 1053 "bye"'),
        (packet(2, b"\xff"), 'L7RSP version "8.0.36" answers a login with "\\xff"'),
    ],
)
async def test_answers(tcp_server: TcpServer, answer: bytes, said: str) -> None:
    """A server that does not want this client does its work; one that wants none does not."""
    data = HELLO + answer[:3] + b"\1" + answer[4:]  # the number of a packet is nobody's business
    for parts in ((HELLO, answer), (data[place : place + 1] for place in range(len(data)))):
        assert str(await asked(tcp_server, one_by_one(*parts))) == said


def one_by_one(*parts: bytes) -> Handler:
    """The greeting, and the rest after the login."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent = b""
        for part in parts:
            if sent == HELLO:
                await reader.read(4096)
            writer.write(part)
            await writer.drain()
            sent += part
        await reader.read()

    return handler


@pytest.mark.parametrize(
    ("greeting", "said"),
    [
        (packet(0, b"\xff\x10\x04Too many connections"), 'L7STS refuses clients: 1040 "Too many connections"'),
        (
            packet(0, b"\xff\x69\x04Host is blocked"),
            'BARRED the server shuts this machine out: 1129 "Host is blocked"',
        ),
        (packet(0, b"\x0ax"), 'L7RSP the greeting is not MySQL\'s: "\\nx"'),
        (b"SSH-2.0-OpenSSH\r\n", 'L7RSP the greeting is not MySQL\'s, received "SSH-2.0-OpenSSH\\r\\n"'),
        (b"\xff\xff\xff\0", 'L7RSP the greeting is not MySQL\'s, received "\\xff\\xff\\xff\\x00"'),
    ],
)
async def test_greetings_that_are_none(tcp_server: TcpServer, greeting: bytes, said: str) -> None:
    """Nobody waits for what an enormous length promises."""
    assert str(await asked(tcp_server, saying(greeting))) == said


async def test_a_server_that_stops(tcp_server: TcpServer) -> None:
    """It hangs up, or says no more, at once or half-way."""
    outcome = await asked(tcp_server, closing_at_once(b""))
    assert str(outcome) == "L7RSP connection closed before the greeting, received nothing"
    outcome = await asked(tcp_server, closing_at_once(HELLO[:6]))
    assert outcome.detail.startswith('connection closed before the greeting, received "')
    assert str(await asked(tcp_server, saying(), seconds=0.2)).endswith("while waiting for the greeting")
    assert str(await asked(tcp_server, saying(HELLO), seconds=0.2)).endswith("while waiting for the answer to a login")


def closing_at_once(data: bytes) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return handler


async def test_a_user_without_a_password_says_goodbye(tcp_server: TcpServer) -> None:
    """Where everybody is let in, the session that this has made is ended."""
    heard: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO)
        await reader.read(4096)
        writer.write(packet(2, OK))
        heard.append(await reader.read())

    assert (await asked(tcp_server, handler)).status is Status.PASS
    await until(lambda: len(heard) == 2)  # in a task, and in the engine
    assert set(heard) == {b"\x01\0\0\0\x01"}


async def test_a_server_that_wants_another_method_gets_it(tcp_server: TcpServer) -> None:
    """MySQL takes one who hangs up there for an interrupted connection; asked a second time, it is enough."""
    heard: list[bytes] = []
    last = b""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO)
        await reader.read(4096)
        writer.write(packet(2, b"\xfesha256_password\0scramble\0"))
        heard.append(await reader.readexactly(4))
        writer.write(last)
        await reader.read()

    last = packet(4, b"\xff\x15\x04#28000no")
    assert str(await asked(tcp_server, handler)) == 'L7OK version "8.0.36" answers clients: 1045 "no"'
    last = packet(4, b"\xfeanother\0")
    assert str(await asked(tcp_server, handler)) == 'L7OK version "8.0.36" lets clients log in'
    assert set(heard) == {b"\0\0\0\x03"}


async def test_tls(tcp_server: TcpServer, pki: Pki) -> None:
    """The login follows the handshake; a server without TLS is told as such."""
    checker = Mysql(tls=True, ca_file=pki.ca_file)
    plain = packet(0, GREETING.replace(b"\xff\xff\xff\x02", b"\xff\xf7\xff\x02"))
    outcome = await asked(tcp_server, saying(plain), checker)
    assert str(outcome) == 'L6RSP the server, version "8.0.36", speaks no TLS'
    outcome = await asked(tcp_server, closing(HELLO), checker)
    assert outcome.code == Code.L6RSP
