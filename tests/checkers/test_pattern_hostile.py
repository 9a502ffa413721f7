"""Servers that send just what an expression of the user's takes for ever with, elsewhere."""

from __future__ import annotations

import asyncio
import struct

import pytest

from checkers.base import Checker, Code, Status, Target
from checkers.dialog import Dialog
from checkers.dns import Dns
from checkers.http import Http
from checkers.json_condition import JsonCondition
from tests.checkers.asking import ask
from tests.checkers.datagrams import udp_server
from tests.checkers.servers import TcpServer

NEVER = "(a+)+="
"""2**n steps on n letters and another mark, for an engine that goes back."""

BODY = b"a" * 60_000 + b"!"


@pytest.mark.parametrize(
    "checker",
    [
        Http(expect_regex=NEVER),
        Http(expect_header={"X-Text": NEVER}),
        Http(json=(JsonCondition(path="$", operator="matches", value=NEVER),)),
        Dialog(send="GET / HTTP/1.1\r\n\r\n", expect_regex=NEVER),
    ],
    ids=["body", "header", "json", "dialog"],
)
async def test_the_check_fails_in_time(checker: Checker, tcp_server: TcpServer) -> None:
    """With what was found in place of a match: every check that takes an expression."""
    body = b'"' + BODY + b'"'
    head = b"HTTP/1.1 200 OK\r\nX-Text: %s\r\nContent-Length: %d\r\n\r\n" % (BODY[-15_000:], len(body))

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head + body)

    host, port = await tcp_server(handler)
    outcome = await ask(checker, Target(address=host, port=port))
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7RSP), outcome


async def test_records_of_dns() -> None:
    """Likewise the text of each record."""
    text = b"".join(bytes([255]) + b"a" * 255 for _ in range(3)) + b"\x01!"

    def answer(query: bytes) -> list[bytes]:
        record = b"\xc0\x0c" + struct.pack("!HHIH", 16, 1, 60, len(text)) + text
        return [query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + query[12:] + record]

    async with udp_server(answer) as (target, _):
        outcome = await ask(Dns(record="TXT", expect_regex="(a+)+x$"), target)
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7RSP), outcome
