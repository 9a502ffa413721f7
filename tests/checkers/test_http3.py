"""HTTP/3 from servers that a test plays: in memory on aioquic's own state machine, and on sockets without any."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from aioquic.h3.connection import H3Connection
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import StreamDataReceived
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st

from checkers.base import Failed, OptionError, Status, Target
from checkers.http3 import Http3
from checkers.http3_exchange import Exchange, Trust
from tests.checkers.asking import ask
from tests.checkers.certificates import Pki

Act = Callable[[QuicConnection, H3Connection], None]

HEAD = [(b":status", b"200")]
BODY_AT_MOST = 1000


def server_configuration(pki: Pki) -> QuicConfiguration:
    pem = pki.issued("localhost").read_bytes()
    configuration = QuicConfiguration(is_client=False, alpn_protocols=["h3"])
    configuration.certificate = x509.load_pem_x509_certificates(pem)[0]
    configuration.private_key = serialization.load_pem_private_key(pem, None)
    return configuration


class Talk:
    """A client's exchange and a server in memory, with a clock that the talk moves on."""

    def __init__(self, configuration: QuicConfiguration) -> None:
        request = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"localhost"), (b":path", b"/")]
        trust = Trust(verify=False, authorities=None)
        self.exchange = Exchange(request, None, BODY_AT_MOST, name="localhost", trust=trust)
        self.now = 1000.0
        self.exchange.begin(self.now)
        first = self.exchange.outgoing(self.now)
        destination = first[0][6 : 6 + first[0][5]]  # RFC 9000, section 17.2
        self.server = QuicConnection(configuration=configuration, original_destination_connection_id=destination)
        self._to_server = first

    def carry_on(self, act: Act, rounds: int = 60) -> None:
        """Datagrams go to and fro; when the request has come, the server acts. Ends when there is an answer."""
        http: H3Connection | None = None
        for _ in range(rounds):
            self.now += 0.01
            for datagram in self._to_server:
                self.server.receive_datagram(datagram, ("client", 1), self.now)
            while (event := self.server.next_event()) is not None:
                if isinstance(event, StreamDataReceived) and event.stream_id == 0 and http is None:
                    http = H3Connection(self.server)
                    act(self.server, http)
            for datagram, _ in self.server.datagrams_to_send(self.now):
                self.exchange.feed(datagram, self.now)
            if self.exchange.alarm is not None and self.exchange.alarm < self.now:
                self.exchange.strike(self.now)
            self._to_server = self.exchange.outgoing(self.now)
            if self.exchange.answer.complete or self.exchange.full:
                return


@pytest.fixture
def talk(pki: Pki) -> Talk:
    return Talk(server_configuration(pki))


def test_an_answer(talk: Talk) -> None:
    """Head, body and trailers; an interim answer is passed over."""

    def act(_: QuicConnection, http: H3Connection) -> None:
        http.send_headers(0, [(b":status", b"103")])
        http.send_headers(0, [*HEAD, (b"x-ready", b"yes")])
        http.send_data(0, b"all is well", end_stream=False)
        http.send_headers(0, [(b"x-end", b"no")], end_stream=True)

    talk.carry_on(act)
    answer = talk.exchange.answer
    assert (answer.status_line, bytes(answer.body), answer.complete) == ('"HTTP/3 200"', b"all is well", True)
    assert (answer.values("X-Ready"), answer.values("x-end")) == (["yes"], ["no"])


def raw(*data: bytes, stream: int = 0) -> Act:
    def act(quic: QuicConnection, _: H3Connection) -> None:
        for part in data:
            quic.send_stream_data(stream, part)

    return act


def reset(quic: QuicConnection, _: H3Connection) -> None:
    quic.reset_stream(0, 0x10C)


def end(quic: QuicConnection, _: H3Connection) -> None:
    quic.close(error_code=0x107, reason_phrase="go away\n")


def headers(*fields: tuple[bytes, bytes], data: bytes = b"") -> Act:
    def act(_: QuicConnection, http: H3Connection) -> None:
        http.send_headers(0, [*fields], end_stream=not data)
        if data:
            http.send_data(0, data, end_stream=False)

    return act


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (reset, "L7RSP the server has reset the stream: error 0x10c"),
        (end, r'L7RSP connection ended with error 0x107 "go away\n"'),
        (headers((b":status", b"abc")), "L7RSP connection ended with error 0x10e"),
        (headers((b":status", b"0200")), "L7RSP "),
        (raw(b"\x00\x05hello"), 'L7RSP connection ended with error 0x105 "DATA frame is not allowed in this state"'),
        (raw(b"\x01\x05\xff\xff\xff\xff\xff"), "L7RSP "),
        (raw(b"\x01\xbf\xff\xff\xff", *[b"x" * 1000] * 20), "L7RSP header longer than 16384 bytes"),
        (headers(*HEAD, *((b"x-%d" % number, b"y" * 100) for number in range(300))), "L7RSP header longer than 16384"),
    ],
    ids=["reset", "end", "status", "long status", "data first", "qpack", "length", "fields"],
)
def test_an_answer_that_is_none(talk: Talk, act: Act, why: str) -> None:
    """The text has the server's reason, or what it did wrong."""
    with pytest.raises(Failed) as failed:
        talk.carry_on(act, rounds=400)
    assert str(failed.value).startswith(why)
    assert failed.value.outcome.detail.isprintable()


def test_a_body_without_end(talk: Talk) -> None:
    """No more of it is kept than is looked at."""
    talk.carry_on(headers(*HEAD, data=bytes(5_000_000)))
    assert len(talk.exchange.answer.body) == BODY_AT_MOST
    assert not talk.exchange.answer.complete


def feed(talk: Talk, datagram: bytes, times: int) -> None:
    for _ in range(times):
        talk.exchange.feed(datagram, talk.now)


def test_a_flood_of_datagrams(talk: Talk) -> None:
    """It ends after so many bytes, or so many datagrams, whatever is in them."""
    for size, most in ((1, 3000), (1200, 300)):
        with pytest.raises(Failed, match="more bytes or datagrams than an answer may need"):
            feed(talk, bytes(size), most)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.binary(max_size=100) | st.binary(max_size=40).map(lambda data: b"\xc0\0\0\0\x01" + data), max_size=5)
)
def test_any_datagrams_are_passed_over_or_a_failure(datagrams: list[bytes]) -> None:
    """No other exception comes out of the library."""
    exchange = Exchange([], None, 100, name="localhost", trust=Trust(verify=True, authorities=b""))
    exchange.begin(1.0)
    exchange.outgoing(1.0)
    with suppress(Failed):
        for datagram in datagrams:
            exchange.feed(datagram, 1.0)
            exchange.outgoing(1.0)
    assert not exchange.answer.status


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=60), st.sampled_from([0, 3, 7, 11, 15]))
def test_any_bytes_on_a_stream_are_an_answer_or_a_failure(
    configuration: QuicConfiguration, data: bytes, stream: int
) -> None:
    """On the request's stream, and on those that a server may open."""
    talk = Talk(configuration)
    with suppress(Failed):
        talk.carry_on(raw(data, stream=stream), rounds=20)
    assert len(talk.exchange.answer.body) <= BODY_AT_MOST


@pytest.fixture(scope="module")
def configuration(pki: Pki) -> QuicConfiguration:
    return server_configuration(pki)


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0)
        yield sock


async def test_silence_ends_at_the_deadline(silent: socket.socket) -> None:
    """Nobody shakes hands; whoever is cut off leaves nothing behind."""
    target = Target(address="127.0.0.1", port=silent.getsockname()[1])
    outcome = await ask(Http3(), target, 0.3)
    assert str(outcome) == f"L6TOUT no result within 0.3 s while shaking hands for QUIC with {target.where}"
    assert len(asyncio.all_tasks()) == 1


async def test_garbage_and_answers_from_elsewhere(silent: socket.socket) -> None:
    """They are passed over, as anyone can send them: it is the deadline that ends the check."""
    target = Target(address="127.0.0.1", port=silent.getsockname()[1])

    async def answer() -> None:
        loop = asyncio.get_running_loop()
        _, client = await loop.sock_recvfrom(silent, 2000)
        for garbage in (b"", b"\xff" * 1200, b"HTTP/1.1 200 OK\r\n\r\n"):
            await loop.sock_sendto(silent, garbage, client)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(b"\xc0\0\0\0\x01" + bytes(1195), client)

    async with asyncio.TaskGroup() as group:
        group.create_task(answer())
        asked = group.create_task(ask(Http3(), target, 0.5))
    assert (asked.result().status, asked.result().code) == (Status.FAIL, "L6TOUT")


async def test_refused() -> None:
    """A closed port answers by ICMP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    assert (await ask(Http3(), Target(address="127.0.0.1", port=port))).code == "L4CON"


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"tls": False}, "tls", "cannot be false here: HTTP/3 is always encrypted"),
        ({"alpn": ("h3",)}, "alpn", 'is not an option here: it is "h3"'),
        ({"cert_file": "/x"}, "cert_file", "no client certificate is sent over HTTP/3"),
        ({"proxy_protocol": "v1"}, "proxy_protocol", "is not an option here: it is for TCP"),
        ({"headers": {"TE": "x"}}, "headers", "TE may not be sent over HTTP/2 and HTTP/3"),
        ({"ca_file": "/no/such"}, "ca_file", 'cannot read "/no/such"'),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], option: str, message: str) -> None:
    """The error names the option and what it should be."""
    with pytest.raises(OptionError) as caught:
        Http3(**options)
    assert caught.value.option == option
    assert message in str(caught.value)
