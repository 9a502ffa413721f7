"""DNS over TLS against servers that shake hands well and then answer what no server should."""

from __future__ import annotations

import asyncio
import itertools
import struct
from collections.abc import Callable, Iterator

import pytest

from checkers.base import Code, Status, Target
from checkers.dns import Dot
from tests.checkers.asking import ask
from tests.checkers.certificates import Pki
from tests.checkers.servers import TcpServer


def answer(query: bytes) -> bytes:
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + bytes([192, 0, 2, 1])
    return query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + query[12:] + record


def framed(message: bytes) -> bytes:
    return struct.pack("!H", len(message)) + message


CASES: dict[str, tuple[Callable[[bytes], bytes], str, str]] = {
    "closed": (lambda _: b"", Code.L7RSP, "connection closed without an answer"),
    "cut short": (lambda q: framed(answer(q))[:-1], Code.L7RSP, "connection closed after "),
    "enormous": (
        lambda _: b"SSH-2.0-x\r\n",
        Code.L7RSP,
        'an answer of 21331 bytes; healthd reads at most 16384; it begins with "SS"',
    ),
    "empty": (lambda _: b"\0\0", Code.L7RSP, "no answer to the query: a message of 0 bytes, less than a header"),
    "wrong id": (
        lambda q: framed(bytes([q[0] ^ 1]) + answer(q)[1:]),
        Code.L7RSP,
        "no answer to the query: the id is not that of the query",
    ),
    "garbage": (lambda q: framed(q[:2] + b"\xff" * 30), Code.L7RSP, "no answer to the query: "),
}


@pytest.mark.parametrize(("hostile", "code", "detail"), CASES.values(), ids=CASES.keys())
async def test_answers_that_are_none(
    hostile: Callable[[bytes], bytes], code: str, detail: str, tcp_server: TcpServer, pki: Pki
) -> None:
    """Each fails at once with its reason, and no more is read than an answer may have."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        writer.write(hostile(await reader.readexactly(length)))

    host, port = await tcp_server(handler, context=pki.server(pki.issued("127.0.0.1")))
    checker = Dot(name="www.example.test", record="A", ca_file=pki.ca_file)
    outcome = await ask(checker, Target(address=host, port=port))
    assert (outcome.status, outcome.code) == (Status.FAIL, code), outcome
    assert outcome.detail.startswith(detail)


def dripping(message: bytes) -> Iterator[bytes]:
    """A good answer, one byte at a time, and then no end."""
    return itertools.chain((bytes([byte]) for byte in b"\x3f\xff" + message), itertools.repeat(b"x"))


async def test_a_drip_is_cut_off(tcp_server: TcpServer, pki: Pki) -> None:
    """At the deadline, however long the answer is announced to be."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        for part in dripping(answer(await reader.readexactly(length))):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.02)

    host, port = await tcp_server(handler, context=pki.server(pki.issued("127.0.0.1")))
    checker = Dot(name="www.example.test", record="A", ca_file=pki.ca_file)
    outcome = await ask(checker, Target(address=host, port=port), 0.5)
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7TOUT)
    assert outcome.detail == f"no result within 0.5 s while waiting for an answer from {host}:{port}"
