"""HTTP/2 from servers that a test plays, with frames written by hand; a real one is in tests/real."""

import itertools
import struct
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import pytest
from hpack import Encoder
from hypothesis import given, settings
from hypothesis import strategies as st

from checkers.base import Failed, OptionError, Status, Target
from checkers.http2 import Http2
from checkers.http2_exchange import Exchange
from tests.checkers.asking import ask
from tests.checkers.certificates import Pki
from tests.checkers.frames import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    HELLO,
    OK,
    PING,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    answering,
    at,
    frame,
    head,
)
from tests.checkers.servers import TcpServer


async def test_an_answer_is_judged_as_with_http(tcp_server: TcpServer) -> None:
    """Status, header fields and body."""
    target = await at(
        tcp_server, answering(HELLO, head(("x-ready", "yes")), frame(DATA, END_STREAM, 1, b"all is well"))
    )
    good = Http2(tls=False, expect="well", expect_regex="^all", expect_header={"X-Ready": "^yes$"})
    assert str(await ask(good, target)) == 'L7OK "HTTP/2 200"'
    outcome = await ask(Http2(tls=False, status="204"), target)
    assert str(outcome) == 'L7STS answered "HTTP/2 200"; expected status 204'
    outcome = await ask(Http2(tls=False, expect="sick"), target)
    assert str(outcome) == 'L7RSP answered "HTTP/2 200", "sick" is not in the body, which begins with "all is well"'


async def test_no_more_is_read_than_is_asked(tcp_server: TcpServer) -> None:
    """The head is enough where nothing is expected of the body, and the text where it has come; 103 is no answer."""
    early = head(status="103") + head()
    assert (await ask(Http2(tls=False), await at(tcp_server, answering(HELLO, early)))).code == "L7OK"
    begun = answering(HELLO, head(), frame(DATA, 0, 1, b"well..."))
    assert (await ask(Http2(tls=False, expect="well"), await at(tcp_server, begun))).code == "L7OK"


async def test_a_server_without_alpn(tcp_server: TcpServer, pki: Pki) -> None:
    """The TLS handshake has to agree on h2; one that agrees on nothing is L6RSP."""
    host, port = await tcp_server(answering(OK), context=pki.server(pki.issued("127.0.0.1")))
    outcome = await ask(Http2(ca_file=pki.ca_file), Target(address=host, port=port))
    assert str(outcome) == 'L6RSP TLS handshake: the server has agreed to no protocol (ALPN); expected "h2"'


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", 'not HTTP/2: no SETTINGS come first; it begins with "HTTP/1.1 400'),
        (frame(PING, 0, 0, bytes(8)), "not HTTP/2: no SETTINGS come first"),
        (HELLO + frame(PUSH_PROMISE, END_HEADERS, 1, bytes(4) + b"\x82"), "broken HTTP/2: "),
        (HELLO + frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), "broken HTTP/2: "),
        (HELLO + frame(HEADERS, END_HEADERS, 1, Encoder().encode([("x", "y")])), "broken HTTP/2: "),
        (HELLO + frame(HEADERS, END_HEADERS, 1, Encoder().encode([(":status", "abc")])), 'the status is "abc"'),
        (HELLO + frame(HEADERS, END_HEADERS, 3, Encoder().encode([(":status", "200")])), "broken HTTP/2: "),
        (HELLO + frame(RST_STREAM, 0, 1, struct.pack("!I", 2)), "the server has reset the stream: INTERNAL_ERROR"),
        (HELLO + frame(RST_STREAM, 0, 1, struct.pack("!I", 99)), "the server has reset the stream: error 99"),
        (
            HELLO + frame(GOAWAY, 0, 0, struct.pack("!II", 0, 11) + b"calm down"),
            'the server has ended the connection: ENHANCE_YOUR_CALM "calm down"',
        ),
        (HELLO + frame(GOAWAY, 0, 0, bytes(8)), "the server has ended the connection: NO_ERROR"),
        (HELLO + head() + frame(RST_STREAM, 0, 1, struct.pack("!I", 2)), 'answered "HTTP/2 200", the server has reset'),
        (
            HELLO + head(("content-length", "9")) + frame(DATA, END_STREAM, 1, b"short"),
            "broken HTTP/2: InvalidBodyLengthError: Expected 9 bytes, received 5",
        ),
    ],
)
async def test_an_answer_that_is_none(tcp_server: TcpServer, answer: bytes, why: str) -> None:
    """L7RSP says what was wrong, and shows what the answer begins with, or the server's own reason."""
    outcome = await ask(Http2(tls=False, expect="never"), await at(tcp_server, answering(answer)))
    assert (outcome.status, outcome.code) == (Status.FAIL, "L7RSP")
    assert why in outcome.detail
    assert outcome.detail.isprintable()


BOMB = Encoder()
SEED = BOMB.encode([(":status", "200"), ("x", "v" * 3000)])


@pytest.mark.parametrize(
    ("flood", "why"),
    [
        (itertools.repeat(HELLO * 100), "more than 250 frames beside those of the body, last SETTINGS"),
        (
            itertools.repeat(frame(PING, 0, 0, bytes(8)) * 100),
            "more than 250 frames beside those of the body, last PING",
        ),
        (itertools.repeat(frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\1") * 100), "last WINDOW_UPDATE"),
        (itertools.repeat(frame(99, 0, 0, b"?") * 100), "last of kind 99"),
        (itertools.repeat(frame(RST_STREAM, 0, 3, bytes(4)) * 100), "last RST_STREAM"),
        (itertools.repeat(head(status="103") * 100), "last HEADERS"),
        (itertools.repeat(frame(HEADERS, END_HEADERS, 1, b"\x08\x03103" + b"\x90" * 100)), "header longer than 16384"),
        ([frame(SETTINGS, 0, 0, bytes(6 * 65))], "more than 64 settings, in a SETTINGS frame of 390 bytes"),
        (itertools.repeat(frame(SETTINGS, 0, 0, bytes(6 * 33))), "more than 64 settings, in a SETTINGS frame of 198"),
        ([frame(HEADERS, END_HEADERS, 1, b"\x20" * 17 + b"\x88")], "more than 16 sizes of the header table"),
        (
            [frame(HEADERS, END_HEADERS, 1, b"\x20" * 9000 + b"\x08\x03103")] * 2,
            "header longer than 16384 bytes",
        ),
        (itertools.repeat(frame(99, 0, 0, b"?" * 9000)), "bytes without an end of the answer"),
        (
            itertools.chain([frame(HEADERS, 0, 1, b"\x88")], itertools.repeat(frame(CONTINUATION, 0, 1))),
            "broken HTTP/2: ",
        ),
        ([b"\xff\xff\xff\x00\x00\x00\x00\x00\x01", *[bytes(9000)] * 20], "bytes without an end of the answer"),
        ([frame(HEADERS, END_HEADERS, 1, SEED + b"\xbe" * 5000)], "broken HTTP/2: "),
        (
            itertools.chain([head()], itertools.repeat(frame(DATA, 0, 1) * 100)),
            "more than 400 frames that bring next to nothing",
        ),
        (itertools.chain([head()], itertools.repeat(frame(DATA, 0, 1, bytes(500)))), "not in the first 1000 bytes"),
        (
            itertools.chain([head()], itertools.repeat(frame(DATA, 8, 1, b"\x0a" + bytes(10)) * 100)),
            "bring next to nothing",
        ),
    ],
    ids=[
        "settings",
        "pings",
        "windows",
        "unknown",
        "resets",
        "interim",
        "unfolding",
        "many settings",
        "many settings in several",
        "sizes of the table",
        "table sizes",
        "more",
        "continuation",
        "length",
        "hpack",
        "empty",
        "data",
        "padding",
    ],
)
async def test_a_flood(tcp_server: TcpServer, flood: Iterable[bytes], why: str) -> None:
    """It ends after so many bytes or frames, whatever they are, and the text says which."""
    pieces = [HELLO, *itertools.islice(flood, 300)]
    outcome = await ask(Http2(tls=False, expect="never", max_body=1000), await at(tcp_server, answering(pieces=pieces)))
    assert (outcome.status, outcome.code) == (Status.FAIL, "L7RSP")
    assert why in outcome.detail


async def test_silence_drip_and_an_early_end(tcp_server: TcpServer) -> None:
    """A deadline, or what was missing when the server hung up."""
    target = await at(tcp_server, answering(HELLO))
    outcome = await ask(Http2(tls=False), target, 0.3)
    assert str(outcome) == "L7TOUT no result within 0.3 s while reading the answer"
    drip = answering(HELLO, head(), pieces=itertools.repeat(frame(DATA, 0, 1, b"x")), pause=0.05)
    assert (await ask(Http2(tls=False, expect="never"), await at(tcp_server, drip), 0.3)).code == "L7TOUT"
    outcome = await ask(Http2(tls=False), await at(tcp_server, answering(stay=False)))
    assert str(outcome) == "L7RSP connection closed without an answer"
    half = answering(HELLO, head(), frame(DATA, 0, 1, b"half"), stay=False)
    outcome = await ask(Http2(tls=False, expect="never"), await at(tcp_server, half))
    assert str(outcome) == 'L7RSP answered "HTTP/2 200", connection closed after 4 bytes of the body'


PARTS = st.lists(
    st.binary(max_size=30)
    | st.builds(frame, st.integers(0, 12), st.integers(0, 255), st.integers(0, 3), st.binary(max_size=30)),
    max_size=6,
)


@settings(max_examples=400, deadline=None)
@given(PARTS, st.sampled_from([(), (HELLO,), (HELLO, head())]))
def test_any_bytes_are_an_answer_or_a_failure(parts: list[bytes], before: tuple[bytes, ...]) -> None:
    """No other exception comes out of the library, whatever a server sends."""
    exchange = Exchange(
        [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"h"), (b":path", b"/")], None, 100
    )
    exchange.outgoing()
    with suppress(Failed):
        for part in (*before, *parts):
            exchange.feed(part)
            exchange.outgoing()
    assert len(exchange.answer.body) <= 100


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"alpn": ("h2",)}, "alpn", 'is not an option here: it is "h2"'),
        ({"headers": {"TE": "trailers"}}, "headers", "TE may not be sent over HTTP/2 and HTTP/3"),
        ({"headers": {"Upgrade": "h2c"}}, "headers", "Upgrade may not be sent over HTTP/2 and HTTP/3"),
        ({"status": "2xx"}, "status", '"2xx" is neither'),
        ({"tls": False, "ca_file": "/x"}, "ca_file", "has no effect without tls = true"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], option: str, message: str) -> None:
    """The error names the option and what it should be."""
    with pytest.raises(OptionError) as caught:
        Http2(**options)
    assert caught.value.option == option
    assert message in str(caught.value)
