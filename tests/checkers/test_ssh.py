from __future__ import annotations

import asyncio
import struct

import pytest

from checkers.base import Status
from checkers.ssh import Ssh
from tests.checkers.asking import ask, ask_once
from tests.checkers.databases import closing
from tests.checkers.servers import TcpServer
from tests.checkers.speaking import at, saying

KEXINIT = struct.pack(">IBB", 1020, 4, 20) + bytes(1018)


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\r\n",
        b"SSH-1.99-Cisco-1.25\n",
        b"no entry\r\nfor the uninvited\r\nSSH-2.0-x\r\n",
        b"SSH-2.0-" + b"x" * 245 + b"\r\n",
    ],
)
async def test_an_identification(tcp_server: TcpServer, said: bytes) -> None:
    """Of version 2, also after other lines (RFC 4253, sections 4.2 and 5.1)."""
    outcome = await ask(Ssh(), await at(tcp_server, saying(said, KEXINIT[:100], KEXINIT[100:])))
    assert str(outcome).startswith('L7OK greeted with "SSH-')


@pytest.mark.parametrize(
    "said",
    [b"SSH-1.5-old\r\n", b"SSH-2.0\r\n", b"SSH-2.0-\r\n", b"SSH-2.0-a\tb\r\n", b"SSH-2.0-" + b"x" * 246 + b"\r\n"],
)
async def test_what_is_none(tcp_server: TcpServer, said: bytes) -> None:
    """Version 1 alone, an incomplete one, or one that is longer than allowed."""
    outcome = await ask(Ssh(), await at(tcp_server, saying(said)))
    assert str(outcome).startswith('L7RSP expected an identification such as "SSH-2.0-OpenSSH_9.2", received "SSH-')


async def test_a_server_that_punishes_those_who_only_ask(tcp_server: TcpServer) -> None:
    """OpenSSH since 9.8. It serves others, so it is not held against it, and what is to be done is said."""
    outcome = await ask(Ssh(), await at(tcp_server, closing(b"Not allowed at this time\r\n")))
    assert str(outcome) == (
        'BARRED the server shuts this machine out: "Not allowed at this time"; '
        "PerSourcePenaltyExemptList there lets it ask"
    )
    assert outcome.status is Status.UNKNOWN


async def test_another_protocol(tcp_server: TcpServer) -> None:
    """Whoever greets otherwise, and waits then, is given up at the deadline, and what it said first is shown."""
    outcome = await ask(Ssh(), await at(tcp_server, saying(b"220 mail.example.com ESMTP\r\n\r\n")), 0.2)
    assert str(outcome) == (
        'L7TOUT no result within 0.2 s while waiting for the identification, so far "220 mail.example.com ESMTP"'
    )


@pytest.mark.parametrize(
    "said",
    [
        b"Too many logins\r\n",
        struct.pack(">IBB", 1020, 4, 1),
        struct.pack(">IBB", 35001, 4, 20),
        struct.pack(">IBB", 0xFFFFFFFF, 4, 20),
        struct.pack(">IBB", 11, 4, 20),
    ],
)
async def test_no_key_exchange(tcp_server: TcpServer, said: bytes) -> None:
    """Something else, or a packet of a length that none may have: it is not waited for."""
    outcome = await ask(Ssh(), await at(tcp_server, saying(b"SSH-2.0-x\r\n", said)))
    assert str(outcome).startswith("L7RSP expected SSH_MSG_KEXINIT after the identification, received ")


async def test_a_key_exchange_that_does_not_come(tcp_server: TcpServer) -> None:
    """A server that is dead behind its first line fails at the deadline, or when it hangs up."""
    silent = await ask(Ssh(), await at(tcp_server, saying(b"SSH-2.0-x\r\n", KEXINIT[:100])), 0.2)
    assert str(silent) == "L7TOUT no result within 0.2 s while waiting for the key exchange"

    async def closing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-x\r\n")

    closed = await ask(Ssh(), await at(tcp_server, closing))
    assert str(closed) in (
        "L7RSP key exchange: connection closed before the answer",
        "L7RSP waiting for the answer: Connection reset by peer (ECONNRESET)",
    )


async def test_it_ends_as_the_protocol_says(tcp_server: TcpServer) -> None:
    """With a name and a whole packet: SSH_MSG_DISCONNECT by the application (RFC 4253, sections 6 and 11.1)."""
    heard = asyncio.get_running_loop().create_future()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-x\r\n" + KEXINIT)
        heard.set_result(await reader.read())

    await ask_once(Ssh(), await at(tcp_server, handler))
    name, _, packet = (await heard).partition(b"\r\n")
    assert name == b"SSH-2.0-healthd"
    length, padding = struct.unpack_from(">IB", packet)
    assert len(packet) == 4 + length
    assert len(packet) % 8 == 0
    assert padding >= 4
    message, reason, text = struct.unpack_from(">BII", packet, 5)
    assert (message, reason) == (1, 11)
    assert packet[14 : 14 + text] == b"health check"
    assert packet[14 + text : -padding] == bytes(4)  # no language
