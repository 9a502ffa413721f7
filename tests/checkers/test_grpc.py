"""grpc against servers that a test plays, frame by frame; the real library is in tests/real."""

import struct
from pathlib import Path
from typing import Any

import pytest

from checkers.base import OptionError, Status
from checkers.grpc import Grpc
from checkers.grpc_health import request
from tests.checkers.asking import ask
from tests.checkers.frames import DATA, END_STREAM, HELLO, RST_STREAM, answering, at, frame, head, trailers
from tests.checkers.servers import TcpServer

GRPC = ("content-type", "application/grpc+proto")
SERVING = b"\0\0\0\0\x02\x08\x01"


def saying(message: bytes, *end: tuple[str, str]) -> bytes:
    return HELLO + head(GRPC) + frame(DATA, 0, 1, message) + trailers(*end)


async def test_a_service_that_serves(tcp_server: TcpServer) -> None:
    """grpc-status 0 in the trailers and SERVING in the message."""
    target = await at(tcp_server, answering(saying(SERVING, ("grpc-status", "0"))))
    assert str(await ask(Grpc(), target)) == "L7OK the server is SERVING"
    assert str(await ask(Grpc(service="shop.Cart"), target)) == 'L7OK service "shop.Cart" is SERVING'
    assert request("shop.Cart").endswith(b"shop.Cart")


@pytest.mark.parametrize(
    ("answer", "code", "why"),
    [
        (saying(b"\0\0\0\0\x02\x08\x02", ("grpc-status", "0")), "L7STS", "the server is NOT_SERVING; expected SERVING"),
        (saying(b"\0\0\0\0\0", ("grpc-status", "0")), "L7STS", "the server is UNKNOWN; expected SERVING"),
        (saying(b"\0\0\0\0\x02\x08\x63", ("grpc-status", "0")), "L7STS", "the server is status 99"),
        (
            HELLO + head(GRPC, ("grpc-status", "5"), ("grpc-message", "who%3F"), flags=5),
            "L7STS",
            'the server: grpc-status 5 NOT_FOUND "who?"; expected 0 OK',
        ),
        (
            saying(SERVING, ("grpc-status", "14"), ("grpc-message", "\x7f%ff")),
            "L7STS",
            "grpc-status 14 UNAVAILABLE",
        ),
        (saying(SERVING), "L7RSP", 'answered "HTTP/2 200", without one grpc-status at its end'),
        (saying(SERVING, ("grpc-status", "0"), ("grpc-status", "5")), "L7RSP", "without one grpc-status"),
        (saying(SERVING, ("grpc-status", "zero")), "L7STS", "grpc-status zero; expected 0 OK"),
        (saying(b"", ("grpc-status", "0")), "L7RSP", "answered with no message, only 0 bytes"),
        (saying(b"\0\xff\xff\xff\xff\x08", ("grpc-status", "0")), "L7RSP", "a message of 4294967295 bytes in 1"),
        (HELLO + head(flags=5), "L7RSP", 'not gRPC: content-type is ""'),
        (HELLO + head(flags=5, status="502"), "L7STS", 'answered "HTTP/2 502"; expected status 200'),
        (HELLO + head(GRPC) + frame(RST_STREAM, 0, 1, struct.pack("!I", 8)), "L7RSP", "has reset the stream: CANCEL"),
        (HELLO + head(GRPC) + frame(DATA, 0, 1, bytes(1024)), "L7RSP", "without one grpc-status at its end"),
        (HELLO + head(GRPC) + frame(DATA, 0, 1, bytes(16000)) * 5, "L7RSP", "without one grpc-status at its end"),
        (HELLO + head(GRPC) + frame(DATA, END_STREAM, 1, SERVING), "L7RSP", "without one grpc-status at its end"),
        (b"HTTP/1.1 505 HTTP Version Not Supported\r\n\r\n", "L7RSP", "not HTTP/2: no SETTINGS come first"),
        (b"", "L7RSP", "connection closed without an answer"),
    ],
)
async def test_what_is_wrong_is_told_apart(tcp_server: TcpServer, answer: bytes, code: str, why: str) -> None:
    """A well-formed answer that is not SERVING is L7STS, one that is not well-formed L7RSP."""
    outcome = await ask(Grpc(), await at(tcp_server, answering(answer, stay=bool(answer))))
    assert (outcome.status, outcome.code) == (Status.FAIL, code)
    assert why in outcome.detail
    assert outcome.detail.isprintable()


async def test_an_answer_without_its_end(tcp_server: TcpServer) -> None:
    """At the deadline, or when the server hangs up."""
    half = HELLO + head(GRPC) + frame(DATA, 0, 1, SERVING)
    assert (await ask(Grpc(), await at(tcp_server, answering(half)), 0.3)).code == "L7TOUT"
    outcome = await ask(Grpc(), await at(tcp_server, answering(half, stay=False)))
    assert str(outcome) == 'L7RSP answered "HTTP/2 200", connection closed after 7 bytes of the body'


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"host": "a/b"}, "host", "must be a name or an address"),
        ({"alpn": ("h2",)}, "alpn", 'is not an option here: it is "h2"'),
        ({"service": "x" * 1001}, "service", "must have at most 1000 characters, not 1001"),
        ({"headers": {"grpc-timeout": "1S"}}, "headers", "grpc-timeout is not an option: it belongs to the call"),
        ({"headers": {"Content-Type": "x"}}, "headers", "Content-Type is not an option: it belongs to the call"),
        ({"headers": {"TE": "x"}}, "headers", "TE may not be sent over HTTP/2 and HTTP/3"),
        ({"tls": True, "cert_file": str(Path("/no/such"))}, "cert_file", 'cannot read "/no/such"'),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], option: str, message: str) -> None:
    """The error names the option and what it should be."""
    with pytest.raises(OptionError) as caught:
        Grpc(**options)
    assert caught.value.option == option
    assert message in str(caught.value)


def test_metadata_is_not_shown() -> None:
    """It may hold a token."""
    assert "s3cret" not in repr(Grpc(headers={"authorization": "Bearer s3cret"}))
