"""PostgreSQL without a login, from hostile servers and from odd ones; logins are in test_relay.py and tests/real."""

from __future__ import annotations

import asyncio

import pytest

from checkers.base import Code, Outcome, Status
from checkers.postgres import Postgres
from checkers.postgres_wire import LONGEST
from tests.checkers.asking import ENOUGH, ask
from tests.checkers.certificates import Pki
from tests.checkers.databases import closing, message
from tests.checkers.servers import Handler, TcpServer
from tests.checkers.speaking import at, saying
from tests.support.processes import until


async def asked(
    tcp_server: TcpServer, handler: Handler, checker: Postgres | None = None, seconds: float = ENOUGH
) -> Outcome:
    return await ask(checker or Postgres(), await at(tcp_server, handler), seconds)


def error(state: str) -> bytes:
    return message(b"E", b"SFATAL\0VFATAL\0C" + state.encode() + b"\0Msome words\0\0")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (message(b"R", b"\0\0\0\5salt"), "L7OK lets clients log in, by a password and MD5"),
        (message(b"R", b"\0\0\0\0"), "L7OK lets clients log in, without a password"),
        (message(b"R", b"\0\0\0\x63"), "L7OK lets clients log in, by method 99"),
        (error("28000"), 'L7OK answers clients: 28000 "some words"'),
        (error("3D000"), 'L7OK answers clients: 3D000 "some words"'),
        (error("57P03"), 'L7STS refuses clients: 57P03 "some words"'),
        (error("53300"), 'L7STS refuses clients: 53300 "some words"'),
    ],
)
async def test_answers(tcp_server: TcpServer, answer: bytes, said: str) -> None:
    """A server that does not want this client does its work; one that wants none does not."""
    assert str(await asked(tcp_server, saying(answer))) == said
    assert str(await asked(tcp_server, saying(*(answer[place : place + 1] for place in range(len(answer)))))) == said


@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 400", b"R\xff\xff\xff\xff", b"E\0\0\0\0", b"E" + (LONGEST + 1).to_bytes(4)]
)
async def test_garbage(tcp_server: TcpServer, data: bytes) -> None:
    """Nobody waits for what an enormous length promises."""
    outcome = await asked(tcp_server, saying(data))
    assert outcome.code == Code.L7RSP
    assert outcome.detail.startswith("the answer is not PostgreSQL's, received ")


async def test_a_server_that_stops(tcp_server: TcpServer) -> None:
    """It hangs up, or says no more, at once or half-way."""
    assert str(await asked(tcp_server, closing())) == "L7RSP connection closed by the server, received nothing"
    outcome = await asked(tcp_server, closing(b"R\0"))
    assert str(outcome) == 'L7RSP connection closed by the server, received "R\\x00"'
    for parts in ((), (b"R\0\0",)):
        outcome = await asked(tcp_server, saying(*parts), seconds=0.2)
        assert str(outcome) == "L7TOUT no result within 0.2 s while waiting for the answer to StartupMessage"


async def test_a_session_without_a_password_is_ended(tcp_server: TcpServer) -> None:
    """The server hears that the client goes."""
    heard: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big") - 4)
        writer.write(message(b"R", b"\0\0\0\0"))
        heard.append(await reader.read())

    assert (await asked(tcp_server, handler)).status is Status.PASS
    await until(lambda: len(heard) == 2)  # in a task, and in the engine
    assert set(heard) == {b"X\0\0\0\4"}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"N", "L6RSP the server speaks no TLS"),
        (b"E\0\0\0\4", 'L6RSP SSLRequest was answered with "E"'),
        (b"S" + message(b"R", b"\0\0\0\0"), "L6RSP TLS handshake: WRONG_VERSION_NUMBER"),
    ],
)
async def test_tls_that_is_none(tcp_server: TcpServer, pki: Pki, answer: bytes, said: str) -> None:
    """Neither is there a way back into the clear, nor counts what is sent before the handshake."""
    outcome = await asked(tcp_server, saying(answer), Postgres(tls=True, ca_file=pki.ca_file))
    assert outcome.code == Code.L6RSP
    assert str(outcome) == said or answer[:1] == b"S"  # OpenSSL's words for it change
    assert str(await asked(tcp_server, closing(), Postgres(tls=True, ca_file=pki.ca_file))) == (
        "L6RSP connection closed by the server"
    )
