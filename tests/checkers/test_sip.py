"""The `sip` check against servers that answer too much, too late or somebody else; real ones are in tests/real."""

import asyncio
import re
from typing import Any

import pytest

from checkers.base import Code, OptionError, Status
from checkers.sip import Sip
from tests.checkers.asking import ENOUGH, ask, ask_once
from tests.checkers.datagrams import udp_server
from tests.checkers.servers import TcpServer
from tests.checkers.speaking import at, saying


def answer_to(request: bytes, status: str = "200 OK") -> bytes:
    kept = [line for line in request.split(b"\r\n") if re.match(rb"(Via|Call-ID|CSeq|From|To):", line)]
    return b"\r\n".join([b"SIP/2.0 " + status.encode(), *kept, b"Content-Length: 0", b"", b""])


async def test_only_the_very_answer_counts() -> None:
    """Datagrams with another branch, Call-ID or CSeq are passed over, however many; then the true one passes."""

    def forged(request: bytes) -> list[bytes]:
        true = answer_to(request, "503 Out of order")
        return [
            b"",
            request,
            true.replace(b"z9hG4bK", b"z9hG4bJ"),
            re.sub(rb"Call-ID: .", b"Call-ID: x", true),
            true.replace(b"1 OPTIONS", b"2 OPTIONS"),
            true[:20],
        ] * 5

    async with udp_server(forged) as (target, _):
        outcome = await ask(Sip(), target, 0.2)
        assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7TOUT)
        assert "ignored so far: 30, the last: the branch of its first Via" in outcome.detail
    async with udp_server(lambda request: [*forged(request), answer_to(request)]) as (target, _):
        assert str(await ask(Sip(), target)) == 'L7OK answered "200 OK"'


async def test_provisional() -> None:
    """It says that the request has arrived, and no more."""
    async with udp_server(lambda request: [answer_to(request, "100 Trying")]) as (target, _):
        outcome = await ask(Sip(), target, 0.2)
    assert str(outcome) == 'L7TOUT no result within 0.2 s while waiting for more than "100 Trying"'


async def test_each_request_is_another(tcp_server: TcpServer) -> None:
    """An answer to the check before is none to this one: branch, Call-ID and tag are never the same."""
    seen: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer_to(seen[0], "100 Trying") + answer_to(seen[0]))

    target = await at(tcp_server, handler)
    told = [(await ask_once(Sip(transport="tcp"), target)).code for _ in range(2)]
    assert told == [Code.L7OK, Code.L7RSP]
    for pattern in (rb"branch=(\S+)", rb"Call-ID: (\S+)", rb"tag=(\S+)"):
        assert len({found for request in seen for found in re.findall(pattern, request)}) == 2


@pytest.mark.parametrize(
    ("said", "told", "seconds"),
    [
        (
            (b"SIP/2.0 200 OK\r\n\r\n",),
            "L7RSP no answer to OPTIONS: the branch of its first Via is not that of the request",
            ENOUGH,
        ),
        (
            (b"SSH-2.0-x\r\n",),
            'L7RSP no answer to OPTIONS: expected a SIP response, received "SSH-2.0-x\\r\\n"',
            ENOUGH,
        ),
        (
            (b"SIP/2.0 200 OK\r\n", *[b"X" * 4096] * 9),
            "L7RSP no answer to OPTIONS: a header of more than 16384 bytes",
            ENOUGH,
        ),
        ((b"S", b"I", b"P"), "L7TOUT no result within 0.4 s while waiting for the answer to OPTIONS", 0.4),
    ],
)
async def test_hostile_streams(tcp_server: TcpServer, said: tuple[bytes, ...], told: str, seconds: float) -> None:
    """Another's answer, another protocol, an endless header, and a drip."""
    outcome = await ask(Sip(transport="tcp"), await at(tcp_server, saying(*said, pause=0.01)), seconds)
    assert outcome.status is Status.FAIL
    assert str(outcome).startswith(told), outcome


@pytest.mark.parametrize("said", [b"\r\n" * 1000, b"100 Trying"])
async def test_a_stream_without_a_final_answer(tcp_server: TcpServer, said: bytes) -> None:
    """Line ends, and provisional responses, are passed over up to a number of bytes."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        piece = said if said.isspace() else answer_to(request, said.decode())
        while True:
            writer.write(piece)
            await writer.drain()

    outcome = await ask(Sip(transport="tcp"), await at(tcp_server, handler))
    assert str(outcome) == "L7RSP more than 262144 bytes without a final answer to OPTIONS"


async def test_early_close(tcp_server: TcpServer) -> None:
    """Half an answer is none."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer_to(await reader.readuntil(b"\r\n\r\n"))[:-2])

    outcome = await ask(Sip(transport="tcp"), await at(tcp_server, handler))
    assert str(outcome) == "L7RSP connection closed before the answer to OPTIONS"


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"tls": True}, "tls", 'needs transport = "tcp"'),
        ({"uri": "alice"}, "uri", 'expected one such as "sip:ping@example.com", not "alice"'),
        ({"uri": "sip:a b"}, "uri", 'expected one such as "sip:ping@example.com", not "sip:a b"'),
        (
            {"status": "ok"},
            "status",
            'must be codes and ranges of them such as "200,204,301-302"; "ok" is neither',
        ),
    ],
)
def test_bad_options(options: dict[str, Any], option: str, message: str) -> None:
    """What cannot work is refused when the check is made."""
    with pytest.raises(OptionError) as caught:
        Sip(**options)
    assert (caught.value.option, str(caught.value)) == (option, message)
