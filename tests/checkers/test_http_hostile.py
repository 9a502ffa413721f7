import asyncio
import itertools
import socket
import ssl
import tracemalloc
from collections.abc import Iterable

import pytest

from checkers.base import Status, Target
from checkers.http import Http, Https
from tests.checkers.asking import ask
from tests.checkers.certificates import Pki
from tests.checkers.servers import Canned, Handler, TcpServer

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


def flooding(beginning: bytes, pieces: Iterable[bytes], sent: list[int]) -> Handler:
    """A handler that writes the beginning, and then the pieces as fast as they are taken, and counts."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(beginning)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            sent.append(len(piece))

    return handler


def dripping(beginning: bytes, drops: Iterable[bytes]) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(beginning)
        for drop in drops:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.05)

    return handler


async def test_silence_ends_at_the_deadline(tcp_server: TcpServer) -> None:
    """A server that accepts and says nothing is L7TOUT at the deadline; the detail says what was awaited."""
    host, port = await tcp_server(hang)
    outcome = await ask(Http(path="/health"), Target(address=host, port=port), 0.3)
    assert (outcome.status, outcome.code) == (Status.FAIL, "L7TOUT")
    assert outcome.detail == 'no result within 0.3 s while waiting for the answer to GET "/health"'
    assert outcome.seconds >= 0.3


@pytest.mark.parametrize(
    "beginning", [b"HTTP/1.1 200 ", OK + b"X", OK + b"\r\n"], ids=["status line", "header", "body"]
)
async def test_dripping_ends_at_the_deadline(tcp_server: TcpServer, beginning: bytes) -> None:
    """One deadline holds for the whole exchange, however steadily bytes arrive."""
    host, port = await tcp_server(dripping(beginning, itertools.repeat(b"T")))
    outcome = await ask(Http(expect="never"), Target(address=host, port=port), 0.4)
    assert (outcome.status, outcome.code) == (Status.FAIL, "L7TOUT")
    assert outcome.seconds >= 0.4


async def test_refused() -> None:
    """No listener is L4CON."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # taken, but not listened on
        outcome = await ask(Http(), Target(address="127.0.0.1", port=sock.getsockname()[1]))
    assert (outcome.status, outcome.code) == (Status.FAIL, "L4CON")


async def test_100_megabytes_are_not_read(tcp_server: TcpServer) -> None:
    """Of an endless body `max_body` bytes are read and looked at, in little memory, and then the check is done."""
    sent: list[int] = []
    piece = bytes(65536)
    head = OK + b"Content-Length: 104857600\r\n\r\n"
    host, port = await tcp_server(flooding(head, [piece] * 1600, sent))
    tracemalloc.start()
    try:
        outcome = await ask(Http(expect="never", max_body=262144), Target(address=host, port=port))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (outcome.status, outcome.code) == (Status.FAIL, "L7RSP")
    assert '"never" is not in the first 262144 bytes of the body' in outcome.detail
    assert peak < 2_000_000
    assert sum(sent) < 20_000_000  # the kernel's buffers took what was not read


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [
        (OK, b"X-Header: value\r\n" * 100),
        (OK + b"X-Header: ", b"v" * 1000),
        (OK + b"X", b"x" * 1000),
        (b"HTTP/1.1 200 ", b"O" * 1000),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    ],
    ids=["fields", "value", "name", "reason", "interim answers"],
)
async def test_a_head_without_end(tcp_server: TcpServer, beginning: bytes, piece: bytes) -> None:
    """No more than 16 KiB of header are taken, in whatever form they come."""
    host, port = await tcp_server(flooding(beginning, itertools.repeat(piece), []))
    outcome = await ask(Http(), Target(address=host, port=port))
    assert (outcome.status, outcome.code) == (Status.FAIL, "L7RSP")
    assert outcome.detail.startswith('header longer than 16384 bytes; the answer begins with "HTTP/1.1 ')


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [
        (CHUNKED, b"1\r\nx\r\n" * 1000),
        (CHUNKED + b"1;", b"x" * 1000),
        (CHUNKED + b"0\r\n", b"X-A: b\r\n" * 1000),
    ],
    ids=["tiny chunks", "chunk extension", "trailers"],
)
async def test_framing_without_end(tcp_server: TcpServer, beginning: bytes, piece: bytes) -> None:
    """The bound on the body counts its framing too."""
    sent: list[int] = []
    host, port = await tcp_server(flooding(beginning, itertools.repeat(piece), sent))
    outcome = await ask(Http(expect="never", max_body=10_000), Target(address=host, port=port))
    assert (outcome.status, outcome.code) == (Status.FAIL, "L7RSP")
    assert sum(sent) < 20_000_000


@pytest.mark.parametrize(
    ("answer", "evidence"),
    [
        (b"", "connection closed without an answer"),
        (b"HTTP/1.1 20", 'connection closed in the middle of the header: "HTTP/1.1 20"'),
        (OK + b"A: b\r\n", r'connection closed in the middle of the header: "HTTP/1.1 200 OK\r\nA: b\r\n"'),
        (b"SSH-2.0-x\r\n", r'not an HTTP answer: Expected HTTP/, RTSP/ or ICE/; it begins with "SSH-2.0-x\r\n"'),
        (b"RTSP/1.0 200 OK\r\n\r\n", r'not an HTTP answer: it begins with "RTSP/1.0 200 OK\r\n\r\n"'),
        (b"\x80\x00\xff\xfe", r'it begins with "\x80\x00\xff\xfe"'),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "not an HTTP answer: Invalid response status"),
        (
            OK + b"Content-Length: 20\r\n\r\nshort",
            "the body is broken: cut short: connection closed after 5 of 20 bytes",
        ),
        (CHUNKED + b"5\r\nshort\r\n", "the body is broken: cut short: connection closed before the last chunk"),
        (CHUNKED + b"five\r\n", 'answered "HTTP/1.1 200 OK", the body is broken: Invalid character in chunk size'),
        (OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "can't be present with Content-Length"),
    ],
)
async def test_broken_answers(tcp_server: TcpServer, answer: bytes, evidence: str) -> None:
    """What is no answer, or only a part of one, is L7RSP with the evidence."""
    host, port = await tcp_server(Canned(answer))
    outcome = await ask(Http(expect="never"), Target(address=host, port=port))
    assert (outcome.status, outcome.code) == (Status.FAIL, "L7RSP")
    assert evidence in outcome.detail


async def test_invalid_utf8_is_shown_and_matched(tcp_server: TcpServer) -> None:
    """Bytes that are no UTF-8 in status line, header and body neither stop a check nor reach the terminal raw."""
    answer = b"HTTP/1.1 200 \xff\xfe\r\nX-A: \xe9\xe8\r\nContent-Length: 9\r\n\r\n\xff\x1b[0mwell"
    host, port = await tcp_server(Canned(answer))
    target = Target(address=host, port=port)
    passing = await ask(Http(expect="well", expect_regex="well$", expect_header={"x-a": "."}), target)
    assert passing.code == "L7OK"
    for checker in (Http(expect="sick"), Http(status="404"), Http(expect_header={"X-A": "^$"})):
        outcome = await ask(checker, target)
        assert outcome.status is Status.FAIL
        assert r"\xff" in outcome.detail or r"\xe9" in outcome.detail
        assert outcome.detail.isprintable()


@pytest.mark.parametrize(
    "location",
    [b"http://[::1", b"//a..b/", b"http://h:99999/", b"javascript:alert(1)", b"http:///", b"ftp://h/", b"http://a b/"],
)
async def test_a_location_that_leads_nowhere(tcp_server: TcpServer, location: bytes) -> None:
    """A redirect that cannot be followed is judged by its status, not by an exception."""
    host, port = await tcp_server(Canned(b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\n\r\n"))
    outcome = await ask(Http(follow_redirects=1), Target(address=host, port=port))
    assert (outcome.status, outcome.code) == (Status.FAIL, "L7STS")
    assert location.decode()[:4] in outcome.detail


async def test_a_location_cannot_write_into_the_request(tcp_server: TcpServer) -> None:
    """Blanks and bytes beyond ASCII in a location are percent-encoded before they are sent."""
    server = Canned(b"HTTP/1.1 302 Found\r\nLocation: /a b\xc3\xbc?q=\t1 2%20&\xff\r\n\r\n", OK + b"\r\n")
    host, port = await tcp_server(server)
    assert (await ask(Http(follow_redirects=1), Target(address=host, port=port))).code == "L7OK"
    assert server.requests[1].startswith("GET /a%20b%C3%BC?q=1%202%20&")
    assert server.requests[1].isascii()


async def test_plain_text_where_tls_is_expected(tcp_server: TcpServer) -> None:
    """A server that speaks plain HTTP on the TLS port is L6RSP."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()

    host, port = await tcp_server(greet)
    outcome = await ask(Https(verify=False), Target(address=host, port=port))
    assert (outcome.status, outcome.code) == (Status.FAIL, "L6RSP")


async def test_tls_where_plain_text_is_expected(tcp_server: TcpServer, pki: Pki) -> None:
    """A TLS server is no HTTP server."""
    host, port = await tcp_server(hang, context=pki.server(pki.issued("127.0.0.1")))
    outcome = await ask(Http(), Target(address=host, port=port))
    assert (outcome.status, outcome.code) == (Status.FAIL, "L7RSP")


async def test_a_handshake_that_never_answers(tcp_server: TcpServer) -> None:
    """The deadline during the handshake is L6TOUT."""
    host, port = await tcp_server(hang)
    outcome = await ask(Https(), Target(address=host, port=port), 0.3)
    assert (outcome.status, outcome.code) == (Status.FAIL, "L6TOUT")
    assert "while shaking hands for TLS" in outcome.detail


async def test_closing_within_tls(tcp_server: TcpServer, pki: Pki) -> None:
    """A server that closes after the handshake, or in the handshake, has not answered."""
    context: ssl.SSLContext = pki.server(pki.issued("127.0.0.1"))
    host, port = await tcp_server(close, context=context)
    outcome = await ask(Https(ca_file=pki.ca_file), Target(address=host, port=port))
    assert str(outcome) == "L7RSP connection closed without an answer"

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)

    host, port = await tcp_server(hang_up)
    outcome = await ask(Https(), Target(address=host, port=port))
    assert str(outcome) == "L6RSP TLS handshake: connection closed by the server"
