"""Libraries that block, between a check and a hostile database."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import ssl
from typing import Any

import pytest

from checkers.base import Checker, Code, Outcome, Status
from checkers.mysql import Mysql
from checkers.postgres import Postgres
from checkers.relay import LONGEST_ANSWER
from tests.checkers.asking import ENOUGH, ask
from tests.checkers.certificates import Pki
from tests.checkers.databases import AUTHENTICATED, GREETING, OK, closing, message, packet, until_left
from tests.checkers.leaks import nothing_left
from tests.checkers.servers import Handler, TcpServer
from tests.checkers.speaking import at

POSTGRES = Postgres(user="probe", query="SELECT 1", expect="1")
MYSQL = Mysql(user="probe", query="SELECT 1", expect="1")
both = pytest.mark.parametrize("checker", [POSTGRES, MYSQL], ids=["postgres", "mysql"])


async def asked(tcp_server: TcpServer, checker: Checker, handler: Handler, seconds: float = ENOUGH) -> Outcome:
    target = await at(tcp_server, handler)
    async with nothing_left():
        return await ask(checker, target, seconds)


@both
async def test_a_server_that_says_nothing(tcp_server: TcpServer, checker: Checker) -> None:
    """It is cut off at the deadline, and nothing of the check is left."""
    outcome = await asked(tcp_server, checker, until_left(), 0.3)
    assert str(outcome) == "L7TOUT no result within 0.3 s while logging in"


@pytest.mark.parametrize(
    ("checker", "parts"),
    [
        (POSTGRES, [message(b"R", b"\0\0\0\x0a" + b"SCRAM-SHA-256\0\0")]),
        (POSTGRES, [AUTHENTICATED]),
        (POSTGRES, [AUTHENTICATED, b"D\0\0"]),
        (MYSQL, [packet(0, GREETING)]),
        (MYSQL, [packet(0, GREETING), packet(2, OK), b"\x07\0"]),
    ],
)
async def test_a_server_that_stops_half_way(tcp_server: TcpServer, checker: Checker, parts: list[bytes]) -> None:
    """Wherever that is, the deadline is one for everything."""
    outcome = await asked(tcp_server, checker, until_left(*parts), 0.3)
    assert outcome.code == Code.L7TOUT


@both
async def test_a_server_that_drips(tcp_server: TcpServer, checker: Checker) -> None:
    """A byte now and then buys no time."""
    beginning = message(b"N", b"x" * 200) if checker is POSTGRES else packet(0, GREETING)
    parts = [beginning[place : place + 1] for place in range(len(beginning))]
    outcome = await asked(tcp_server, checker, until_left(*parts, pause=0.05), 0.3)
    assert outcome.code == Code.L7TOUT


@pytest.mark.parametrize(
    ("checker", "parts", "received"),
    [
        (POSTGRES, [], "nothing"),
        (POSTGRES, [b"E\0\0\0\x50SFATAL"], '11 bytes: "E\\x00\\x00\\x00PSFATAL"'),
        (MYSQL, [b"\x10"], '1 byte: "\\x10"'),
    ],
)
async def test_a_server_that_hangs_up(
    tcp_server: TcpServer, checker: Checker, parts: list[bytes], received: str
) -> None:
    """At once, or within a message."""
    outcome = await asked(tcp_server, checker, closing(*parts))
    assert str(outcome) == f"L7RSP connection closed by the server, received {received}"


@both
async def test_a_server_that_never_ends(tcp_server: TcpServer, checker: Checker) -> None:
    """It costs a stated number of bytes at the most."""
    endless = message(b"N", b"x" * 60000) if checker is POSTGRES else b"\xff\xff\xff\0" + b"x" * 60000
    outcome = await asked(tcp_server, checker, until_left(endless, repeat=2 * LONGEST_ANSWER // 60000))
    assert str(outcome) == "L7RSP the server sent more than 65536 bytes"


@both
async def test_many_small_messages(tcp_server: TcpServer, checker: Checker) -> None:
    """Rows of nothing are taken up to that number of bytes, and no further."""
    if checker is POSTGRES:
        row = message(b"D", b"\0\1\0\0\0\0")
        good, rows = AUTHENTICATED + message(b"T", b"\0\1" + bytes(19)), row * (LONGEST_ANSWER // len(row) + 1)
    else:
        column = b"\x03def" + bytes(5) + b"\x0c" + bytes(12)
        good = packet(0, GREETING) + packet(2, OK) + packet(1, OK)
        good += packet(1, b"\1") + packet(2, column) + packet(3, b"\xfe\0\0\2\0")
        rows = b"".join(packet(number % 256, b"\0") for number in range(4, LONGEST_ANSWER // 5 + 5))
    outcome = await asked(tcp_server, checker, until_left(good + rows))
    assert str(outcome) == "L7RSP the server sent more than 65536 bytes"


@pytest.mark.parametrize(
    ("checker", "data", "said"),
    [
        (
            POSTGRES,
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            'ValueError "a message of 1414811691 bytes; up to 65536 are read"',
        ),
        (POSTGRES, b"SSH-2.0-OpenSSH\r\n", "ValueError"),
        (POSTGRES, b"R\xff\xff\xff\xff1234", 'ValueError "a message of -5 bytes; up to 65536 are read"'),
        (POSTGRES, message(b"!", b""), "KeyError"),
        (POSTGRES, message(b"S", b"client_encoding\0punycode\0"), 'texts in the encoding "punycode"; expected UTF8'),
        (POSTGRES, message(b"S", b"client_encoding"), 'texts in the encoding ""; expected UTF8'),
        (POSTGRES, message(b"R", b"\0\0\0\x07"), "Authentication method 7 not supported"),
        (POSTGRES, AUTHENTICATED + message(b"D", b"\xff\xff\xff"), "L7RSP"),
        (MYSQL, b"SSH-2.0-OpenSSH\r\n", "Packet sequence number wrong"),
        (MYSQL, packet(0, b"\x0a"), "L7RSP"),
        (MYSQL, packet(0, GREETING) + packet(2, b"\xfe"), "L7RSP"),
        (MYSQL, packet(0, GREETING) + packet(2, OK) + packet(1, OK) + packet(1, b"\xfb/etc/passwd"), "LOAD_LOCAL"),
    ],
)
async def test_garbage(tcp_server: TcpServer, checker: Checker, data: bytes, said: str) -> None:
    """It is the server's fault whatever the library makes of it, and the outcome shows it."""
    outcome = await asked(tcp_server, checker, until_left(data))
    assert outcome.code == Code.L7RSP, outcome
    assert said in str(outcome)


async def test_errors_at_the_door(tcp_server: TcpServer) -> None:
    """What a server says instead of a greeting is shown."""
    refused = message(b"E", b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0")
    outcome = await asked(tcp_server, POSTGRES, closing(refused))
    assert str(outcome) == 'L7STS logging in: 57P03 "the database system is starting up"'
    outcome = await asked(tcp_server, MYSQL, until_left(packet(0, b"\xff\x10\x04Too many connections")))
    assert str(outcome) == 'L7STS logging in: 1040 "Too many connections"'
    outcome = await asked(tcp_server, MYSQL, until_left(packet(0, b"\xff\x69\x04Host is blocked")))
    assert str(outcome) == 'BARRED the server shuts this machine out: 1129 "Host is blocked"'


async def test_another_protocol(tcp_server: TcpServer) -> None:
    """What came is shown before what the library makes of it."""
    outcome = await asked(tcp_server, POSTGRES, until_left(b"SSH-2.0-x\r\n"))
    assert str(outcome) == (
        'L7RSP logging in: the answer is not understood, received 11 bytes: "SSH-2.0-x\\r\\n" '
        '(ValueError "a message of 1397239086 bytes; up to 65536 are read")'
    )


async def test_a_server_that_asks_for_the_password(tcp_server: TcpServer) -> None:
    """In the clear nobody is told."""
    said = "it asks for the password in the clear, which is told with tls = true only"
    outcome = await asked(tcp_server, POSTGRES, until_left(message(b"R", b"\0\0\0\x03")))
    assert str(outcome) == f"L7STS logging in: {said}"
    for method in (b"mysql_clear_password", b"dialog"):
        switch = packet(2, b"\xfe" + method + b"\0\x02Password: \0")
        outcome = await asked(tcp_server, MYSQL, until_left(packet(0, GREETING) + switch))
        assert str(outcome) == f"L7STS logging in: {said}"


@pytest.mark.parametrize("iterations", [b"2147483647", b"9" * 40, b"100001"])
async def test_a_server_that_makes_others_compute(tcp_server: TcpServer, iterations: bytes) -> None:
    """The number of iterations of SCRAM is the server's, up to a limit."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big") - 4)
        writer.write(message(b"R", b"\0\0\0\x0aSCRAM-SHA-256\0\0"))
        head = await reader.readexactly(5)
        first = await reader.readexactly(int.from_bytes(head[1:], "big") - 4)
        nonce = first.rpartition(b"r=")[2]
        writer.write(message(b"R", b"\0\0\0\x0br=" + nonce + b"x,s=c2FsdA==,i=" + iterations))
        await reader.read()

    outcome = await asked(tcp_server, POSTGRES, handler)
    assert outcome.code == Code.L7STS
    assert "iterations of SCRAM; more than 100000 are refused" in outcome.detail


async def test_tls_to_a_server_without(tcp_server: TcpServer, pki: Pki) -> None:
    """It is told as such; nothing goes on in the clear."""
    options: dict[str, Any] = {"user": "probe", "tls": True, "ca_file": pki.ca_file}
    outcome = await asked(tcp_server, Postgres(**options), until_left(b"N"))
    assert str(outcome) == "L6RSP the server speaks no TLS"
    plain = GREETING.replace(b"\xff\xff\xff\x02", b"\xff\xf7\xff\x02")
    outcome = await asked(tcp_server, Mysql(**options), until_left(packet(0, plain)))
    assert str(outcome) == "L6RSP the server speaks no TLS"


async def test_tls_that_is_refused_within_the_handshake(tcp_server: TcpServer, pki: Pki) -> None:
    """The server's alert is shown."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(packet(0, GREETING))
        await reader.readexactly(36)  # SSLRequest
        writer.write(b"\x15\x03\x03\0\x02\x02\x28")
        await reader.read()

    outcome = await asked(tcp_server, Mysql(user="probe", tls=True, ca_file=pki.ca_file), handler)
    words = "the server has no cipher in common, or wants a certificate of the client: cert_file"
    assert str(outcome) in {
        f"L6RSP TLS handshake: SSLV3_ALERT_HANDSHAKE_FAILURE, {words}",
        f"L6RSP TLS handshake: SSL/TLS_ALERT_HANDSHAKE_FAILURE, {words}",  # OpenSSL 3.2
    }


@both
async def test_anything_is_answered(tcp_server: TcpServer, checker: Checker) -> None:
    """Conversations with some bytes changed end as failures, whatever the library raises; no thread is left."""
    good = AUTHENTICATED + message(b"T", b"\0\x01" + b"a\0" + bytes(18)) + message(b"D", b"\0\x01\0\0\0\x011")
    if checker is MYSQL:
        good = packet(0, GREETING) + packet(2, OK) + packet(1, OK) + packet(1, b"\x01") + packet(2, b"\x03def")
    dice = random.Random(4711)
    targets = []
    for _ in range(60):
        data = bytearray(good)
        for _ in range(dice.randint(1, 4)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        targets.append(await at(tcp_server, until_left(bytes(data))))
    async with nothing_left():
        outcomes = await asyncio.gather(*(ask(checker, target, 1) for target in targets))
    assert {outcome.status for outcome in outcomes} == {Status.FAIL}


async def test_a_machine_without_room(tcp_server: TcpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """No descriptor, or no thread, is this machine's fault."""
    target = await at(tcp_server, until_left())

    def refused(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as without:
        without.setattr("checkers.relay.socket.socketpair", refused)
        outcome = await ask(POSTGRES, target)
        assert str(outcome) == "SOCKERR opening a pair of sockets: Too many open files (EMFILE)"

    def no_thread(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    async with nothing_left():
        with monkeypatch.context() as without:
            without.setattr("concurrent.futures.ThreadPoolExecutor.submit", no_thread)
            outcome = await ask(POSTGRES, target)
    assert (outcome.status, str(outcome)) == (Status.UNKNOWN, "SOCKERR starting a thread: can't start new thread")


async def test_a_certificate_of_nobody(tcp_server: TcpServer, pki: Pki) -> None:
    """A server that begins TLS with it is not logged in to."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"S")
        with pytest.raises(ssl.SSLError):
            await writer.start_tls(pki.server(pki.unknown("127.0.0.1")))

    outcome = await asked(tcp_server, Postgres(tls=True, ca_file=pki.ca_file, user="probe"), handler)
    assert outcome.code == Code.L6RSP
    assert "certificate not accepted" in outcome.detail
