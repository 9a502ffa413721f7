import asyncio
import itertools
import re
from collections.abc import Iterable
from typing import Any

import pytest

from checkers.base import OptionError, Status, Target
from checkers.websocket import WebSocket
from checkers.websocket_frames import accept_of
from tests.checkers.asking import ask
from tests.checkers.servers import Handler, TcpServer

HANDSHAKE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
CLOSE = b"\x88\x02\x03\xe8"


def switching(
    *after: bytes, fields: bytes = b"", pieces: Iterable[bytes] = (), pause: float = 0, stay: bool = True
) -> Handler:
    """Shakes hands, says `after` and then `pieces`, and neither listens nor hangs up, unless it is not to `stay`."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        key = re.search(rb"Sec-WebSocket-Key: (\S+)", head)
        assert key
        accept = b"Sec-WebSocket-Accept: " + accept_of(key[1]).encode() + b"\r\n"
        writer.write(HANDSHAKE + accept + fields + b"\r\n" + b"".join(after))
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        if stay:
            await asyncio.Event().wait()

    return handler


async def at(tcp_server: TcpServer, handler: Handler) -> Target:
    host, port = await tcp_server(handler)
    return Target(address=host, port=port)


async def test_a_handshake_is_enough(tcp_server: TcpServer) -> None:
    """With a close frame after it; it may come in one piece with the handshake."""
    target = await at(tcp_server, switching(CLOSE))
    assert str(await ask(WebSocket(), target)) == 'L7OK "HTTP/1.1 101 Switching Protocols"'
    target = await at(tcp_server, switching(stay=False))
    assert (await ask(WebSocket(), target)).code == "L7OK"


async def test_a_subprotocol_is_agreed_to(tcp_server: TcpServer) -> None:
    """The one that was asked for, and none that was not."""
    chat = b"Sec-WebSocket-Protocol: chat\r\n"
    target = await at(tcp_server, switching(CLOSE, fields=chat))
    outcome = await ask(WebSocket(subprotocol="chat"), target)
    assert str(outcome) == 'L7OK "HTTP/1.1 101 Switching Protocols", protocol "chat"'
    assert (await ask(WebSocket(), target)).code == "L7RSP"
    outcome = await ask(WebSocket(subprotocol="mqtt"), target)
    assert 'Sec-WebSocket-Protocol is "chat": no valid handshake; expected "mqtt"' in outcome.detail
    outcome = await ask(WebSocket(subprotocol="chat"), await at(tcp_server, switching(CLOSE)))
    assert 'Sec-WebSocket-Protocol is missing: no valid handshake; expected "chat"' in outcome.detail


async def test_a_text_is_looked_for_in_the_messages(tcp_server: TcpServer) -> None:
    """Other messages and pings may come before it; the last one is the evidence where it does not come."""
    target = await at(tcp_server, switching(b"\x89\x00\x81\x02hi\x82\x04well", CLOSE))
    outcome = await ask(WebSocket(send="hello?", expect="el"), target)
    assert str(outcome) == 'L7OK "HTTP/1.1 101 Switching Protocols", received "well"'
    outcome = await ask(WebSocket(expect="sick"), target)
    assert outcome.code == "L7RSP"
    assert outcome.detail == 'the server closed, 1000, before "sick", last message "well"'


@pytest.mark.parametrize(
    ("answer", "code", "why"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", "L7STS", 'answered "HTTP/1.1 200 OK" to the upgrade; expected status 101'),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "L7STS", 'answered "HTTP/1.1 403 Forbidden" to the upgrade'),
        (HANDSHAKE + b"\r\n", "L7RSP", "Sec-WebSocket-Accept is missing: no valid handshake"),
        (HANDSHAKE + b"Sec-WebSocket-Accept: x\r\n\r\n", "L7RSP", 'Sec-WebSocket-Accept is "x": no valid handshake'),
        (HANDSHAKE.replace(b"websocket", b"h2c") + b"\r\n", "L7RSP", 'Upgrade is "h2c": no valid handshake'),
        (b"HTTP/1.1 101 S\r\n\r\n", "L7RSP", "Upgrade is missing"),
        (b"SSH-2.0-x\r\n", "L7RSP", "not an HTTP answer"),
        (b"", "L7RSP", "connection closed without an answer"),
        (b"HTTP/1.1 101 S\r\n" + b"A: b\r\n" * 9999, "L7RSP", "header longer than 16384 bytes"),
    ],
)
async def test_a_handshake_that_is_none(tcp_server: TcpServer, answer: bytes, code: str, why: str) -> None:
    """Another status is L7STS, a handshake with something wrong in it L7RSP."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    outcome = await ask(WebSocket(), await at(tcp_server, handler))
    assert (outcome.status, outcome.code) == (Status.FAIL, code)
    assert why in outcome.detail


@pytest.mark.parametrize(
    ("flood", "why"),
    [
        ([b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"], "the server sent a message of more than 65536 bytes"),
        (itertools.repeat(b"\x82\x7e\xff\x00" + bytes(65280)), '"never" not found in 65536 bytes'),
        (itertools.repeat(b"\x89\x00" * 1000), '"never" not found in 1000 messages'),
        (itertools.chain([b"\x01\x00"], itertools.repeat(b"\x00\x00" * 1000)), "messages in more than 1000 frames"),
        ([b"GET / HTTP/1.1\r\n\r\n"], "the server sent a frame with reserved bits set"),
        ([b"\x81\x85xxxx"], "the server sent a masked frame"),
        ([b"\x88\x0e\x03\xf3out of order"], 'the server closed, 1011 "out of order", before "never"'),
    ],
    ids=["enormous length", "data", "pings", "fragments", "garbage", "masked", "close"],
)
async def test_a_hostile_server(tcp_server: TcpServer, flood: Iterable[bytes], why: str) -> None:
    """What it costs is bounded in bytes, messages and frames; what was wrong is said."""
    pieces = list(itertools.islice(flood, 400))
    outcome = await ask(WebSocket(expect="never"), await at(tcp_server, switching(pieces=pieces)))
    assert (outcome.status, outcome.code) == (Status.FAIL, "L7RSP")
    assert why in outcome.detail


async def test_an_early_end(tcp_server: TcpServer) -> None:
    """The server hangs up before it has said what is expected, or in the midst of a frame."""
    outcome = await ask(WebSocket(expect="never"), await at(tcp_server, switching(stay=False)))
    assert str(outcome) == 'L7RSP connection closed before "never"'
    outcome = await ask(WebSocket(expect="never"), await at(tcp_server, switching(b"\x81\x05nev", stay=False)))
    assert str(outcome) == 'L7RSP connection closed before "never"'


async def test_silence_and_drip_end_at_the_deadline(tcp_server: TcpServer) -> None:
    """The text says what was waited for."""
    target = await at(tcp_server, switching())
    outcome = await ask(WebSocket(ping=True), target, 0.3)
    assert str(outcome) == "L7TOUT no result within 0.3 s while waiting for the answer to a ping"
    outcome = await ask(WebSocket(), target, 0.3)
    assert str(outcome) == "L7TOUT no result within 0.3 s while waiting for the answer to the close frame"
    drip = switching(b"\x82\x7e\x0f\xff", pieces=itertools.repeat(b"x"), pause=0.05)
    assert (await ask(WebSocket(expect="never"), await at(tcp_server, drip), 0.3)).code == "L7TOUT"


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"path": "chat"}, "path", 'must start with "/"'),
        ({"host": "a/b"}, "host", "must be a name or an address"),
        ({"headers": {"Upgrade": "x"}}, "headers", "Upgrade is not an option: it belongs to the handshake"),
        ({"headers": {"sec-websocket-key": "x"}}, "headers", "sec-websocket-key is not an option"),
        ({"subprotocol": "a, b"}, "subprotocol", 'must be one name such as "mqtt", not "a, b"'),
        ({"send": ""}, "send", "must not be empty"),
        ({"expect": ""}, "expect", "must not be empty"),
        ({"max_answer": 0}, "max_answer", "must be from 1 to 1048576 bytes, not 0"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], option: str, message: str) -> None:
    """The error names the option and what it should be."""
    with pytest.raises(OptionError) as caught:
        WebSocket(**options)
    assert caught.value.option == option
    assert message in str(caught.value)


def test_what_is_sent_is_not_shown() -> None:
    """It may hold a token."""
    assert "s3cret" not in repr(WebSocket(send="s3cret", headers={"Authorization": "s3cret"}))
