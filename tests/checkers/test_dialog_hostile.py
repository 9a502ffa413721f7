"""The `dialog` check against servers that say too little, too much or the wrong thing."""

import asyncio
from typing import Any

import pytest

from checkers.base import Code, Status, Target
from checkers.dialog import Dialog
from checkers.step import Step
from tests.checkers.asking import ask
from tests.checkers.datagrams import udp_server
from tests.checkers.servers import TcpServer
from tests.checkers.speaking import at, saying
from tests.support.ports import free_port


async def hanging_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Greets half-heartedly and closes."""
    writer.write(b"220 mail")


async def test_silence(tcp_server: TcpServer) -> None:
    """A server that accepts and says nothing is given up at the deadline, with what was being waited for."""
    outcome = await ask(Dialog(send="PING\r\n", expect="+PONG"), await at(tcp_server, saying()), 0.2)
    assert str(outcome) == 'L7TOUT no result within 0.2 s while waiting for "+PONG"'


async def test_drip(tcp_server: TcpServer) -> None:
    """Single bytes that keep coming do not put the deadline off."""
    target = await at(tcp_server, saying(*[b"x"] * 10_000, pause=0.01))
    outcome = await ask(Dialog(expect="+PONG"), target, 0.3)
    assert outcome.code == Code.L7TOUT
    assert outcome.detail.startswith('no result within 0.3 s while waiting for "+PONG", received "xx')
    assert outcome.seconds < 60  # and not a hundred


async def test_closed_midway(tcp_server: TcpServer) -> None:
    """The end of the stream before the match is the server's answer: a wrong one."""
    target = await at(tcp_server, hanging_up)
    assert str(await ask(Dialog(expect_regex=r"^220 .*\n"), target)) == (
        'L7RSP connection closed before a match of "^220 .*\\n", received "220 mail"'
    )
    after = Dialog(steps=(Step(expect="mail"), Step(expect="ready")))
    assert str(await ask(after, target)) == ('L7RSP step 2 of 2: connection closed before "ready", received nothing')


async def test_a_hundred_megabytes(tcp_server: TcpServer) -> None:
    """No more than max_answer bytes are read, whatever is sent."""
    target = await at(tcp_server, saying(*[bytes(1 << 20)] * 100))
    outcome = await ask(Dialog(expect="+PONG"), target)
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7RSP)
    assert outcome.detail.startswith(r'"+PONG" not found in 65536 bytes, received "\x00\x00')
    short = await ask(Dialog(expect_regex="1", max_answer=10), target)
    assert short.detail.startswith('a match of "1" not found in 10 bytes')


async def test_never_reading(tcp_server: TcpServer) -> None:
    """A server that takes nothing in is given up at the deadline, while sending."""
    outcome = await ask(Dialog(send="x" * 20_000_000, expect="OK"), await at(tcp_server, saying()), 0.5)
    assert str(outcome) == "L7TOUT no result within 0.5 s while sending"


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
async def test_refused(protocol: Any) -> None:
    """Nobody at the port: over UDP the ICMP error says so as clearly as the reset over TCP."""
    outcome = await ask(Dialog(protocol=protocol, send="x", expect="y"), Target(address="127.0.0.1", port=free_port()))
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L4CON)
    assert "ECONNREFUSED" in outcome.detail


async def test_udp_empty_datagram() -> None:
    """A datagram without content is an answer: the wrong one."""
    async with udp_server(lambda _: [b"", b"OK"]) as (target, _):
        outcome = await ask(Dialog(protocol="udp", send="x", expect_regex=".*"), target)
    assert str(outcome) == 'L7RSP a match of ".*" not found in the datagram, received nothing'


async def test_udp_silence() -> None:
    """A server that does not answer is given up at the deadline."""
    async with udp_server(lambda _: []) as (target, _):
        outcome = await ask(Dialog(protocol="udp", send="x", expect="y"), target, 0.2)
    assert str(outcome) == 'L7TOUT no result within 0.2 s while waiting for "y"'
