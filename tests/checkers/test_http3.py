"""HTTP/3 from servers that a test plays: in memory on aioquic's own state machine, and on sockets without any."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
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
from checkers.http3_exchange import Exchange
from checkers.http3_trust import Identity, Trust, identity_of
from tests.checkers.asking import ask
from tests.checkers.certificates import Pki
from tests.support.ports import free_port

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

    def __init__(
        self,
        configuration: QuicConfiguration,
        body_at_most: int = BODY_AT_MOST,
        identity: Identity | None = None,
        server: type[QuicConnection] = QuicConnection,
        trust: Trust | None = None,
    ) -> None:
        request = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"localhost"), (b":path", b"/")]
        trust = trust or Trust(verify=False, authorities=None, identity=identity)
        self.exchange = Exchange(request, None, body_at_most, name="localhost", trust=trust)
        self.now = 1000.0
        self.exchange.begin(self.now)
        first = self.exchange.outgoing(self.now)
        destination = first[0][6 : 6 + first[0][5]]  # RFC 9000, section 17.2
        self.server = server(configuration=configuration, original_destination_connection_id=destination)
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


def test_a_system_without_authorities(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trusts none, as with every other kind; those that a library brings are not the system's."""
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: SimpleNamespace(cafile=None, capath=None))
    exchange = Exchange([], None, 100, name="localhost", trust=Trust(verify=True, authorities=None))
    assert exchange._quic.configuration.cadata == b""
    assert exchange._quic.configuration.cafile is None


class AskingServer(QuicConnection):
    """Asks clients for a certificate."""

    def _initialize(self, peer_cid: bytes) -> None:
        super()._initialize(peer_cid)
        self.tls._request_client_certificate = True


def test_a_client_certificate(pki: Pki) -> None:
    """It is sent to a server that asks for one, whether its key stands in a file of its own or not."""
    pem = pki.issued("probe.test").read_bytes()
    identity = identity_of(pem, pem)
    talk = Talk(server_configuration(pki), identity=identity, server=AskingServer)
    talk.carry_on(headers(*HEAD))
    assert talk.exchange.answer.complete
    assert talk.server.tls._peer_certificate == identity[0][0]


def test_a_client_certificate_of_the_options(pki: Pki) -> None:
    """The files are read when the check is made, and the key is not shown."""
    path = str(pki.issued("probe.test"))
    checker = Http3(cert_file=path, key_file=path)
    assert checker._identity[0] == identity_of(Path(path).read_bytes(), Path(path).read_bytes())[0]
    assert "rivate" not in repr(checker)


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


def test_a_server_that_wants_no_more_of_the_request(talk: Talk) -> None:
    """It says so, as caddy does, and its answer counts (RFC 9114, section 4.1)."""

    def act(quic: QuicConnection, http: H3Connection) -> None:
        quic.stop_stream(0, 0x100)
        headers(*HEAD)(quic, http)

    talk.carry_on(act)
    assert talk.exchange.answer.complete


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


def refuse(quic: QuicConnection, _: H3Connection) -> None:
    quic.close(error_code=0x150, frame_type=0x06, reason_phrase="no such name")


def test_a_connection_that_the_server_ends(talk: Talk) -> None:
    """Is over when the server says so, not when the connection has drained; its alert is named as the server's."""
    talk.carry_on(refuse, rounds=10)
    with pytest.raises(Failed) as failed:
        talk.exchange.ensure_open()
    assert str(failed.value) == (
        'L6RSP TLS handshake: internal error "no such name", '
        "the server gave up, as some do at a name that they do not have: tls_name"
    )


def test_a_certificate_that_is_not_accepted(pki: Pki) -> None:
    """Is told at once, and in the words of every other kind."""
    talk = Talk(server_configuration(pki), trust=Trust(verify=True, authorities=b""))
    talk.exchange.ensure_open()
    talk.carry_on(headers(*HEAD), rounds=10)
    with pytest.raises(Failed) as failed:
        talk.exchange.ensure_open()
    assert str(failed.value) == (
        'L6RSP TLS handshake: certificate not accepted: "unable to get local issuer certificate"; '
        "ca_file names who is trusted"
    )


def test_a_body_without_end(talk: Talk) -> None:
    """No more of it is kept than is looked at."""
    talk.carry_on(headers(*HEAD, data=bytes(5_000_000)))
    assert len(talk.exchange.answer.body) == BODY_AT_MOST
    assert not talk.exchange.answer.complete


OK = b"\xd9"  # field 25 of the standard's own list, ":status 200" (RFC 9204, appendix A)
LONGEST = b"\xfa"  # field 58: strict-transport-security, 69 bytes long


def frame(kind: int, data: bytes) -> bytes:
    return bytes([kind]) + (0x80000000 | len(data)).to_bytes(4, "big") + data


def section(fields: bytes) -> bytes:
    """A HEADERS frame with these fields, compressed by the standard's own list alone."""
    return frame(1, b"\0\0" + fields)


def on_a_stream_of_its_own(data: bytes) -> Act:
    def act(quic: QuicConnection, _: H3Connection) -> None:
        quic.send_stream_data(quic.get_next_available_stream_id(is_unidirectional=True), data)

    return act


def larger_table(quic: QuicConnection, http: H3Connection) -> None:
    """Whoever compresses asks for 4096 bytes (RFC 9204, section 4.3.1)."""
    assert http._local_encoder_stream_id is not None
    quic.send_stream_data(http._local_encoder_stream_id, b"\x3f\xe1\x1f")


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (raw(section(OK + LONGEST * 200)), "header longer than 16384 bytes"),
        (raw(section(OK + LONGEST * 12_000)), "header longer than 16384 bytes"),
        (raw(section(OK), section(LONGEST * 200)), "header longer than 16384 bytes"),
        (raw(section(OK), section(LONGEST * 100_000)), "header longer than 16384 bytes"),
        (raw(*[section(b"\xd8")] * 500), "header longer than 16384 bytes"),
        (raw(section(OK), *[section(LONGEST)] * 2), "connection ended with error 0x105"),
        (larger_table, "connection ended with error 0x201"),
        (raw(section(OK), frame(5, b"\0\0\0" + OK)), "connection ended with error 0x108"),
        (raw(section(OK), b"\0\0" * 20_000), "or frames that bring nothing"),
        (raw(section(OK), b"\x21\0" * 20_000), "or frames that bring nothing"),
        (raw(section(OK), frame(0x21, bytes(100_000))), "or frames that bring nothing"),
        (on_a_stream_of_its_own(b"\x21" + bytes(100_000)), "or frames that bring nothing"),
    ],
    ids=[
        "fields",
        "more fields",
        "trailers",
        "more trailers",
        "interim",
        "trailers twice",
        "table",
        "push",
        "empty",
        "unknown",
        "long unknown",
        "unknown stream",
    ],
)
def test_what_unfolds_or_brings_nothing(talk: Talk, act: Act, why: str) -> None:
    """Fields are counted as they are when unfolded, and what is on no stream the body as it comes."""
    with pytest.raises(Failed) as failed:
        talk.carry_on(act, rounds=400)
    assert failed.value.outcome.code == "L7RSP"
    assert why in failed.value.outcome.detail


def test_a_body_in_tiny_frames(configuration: QuicConfiguration) -> None:
    """Each costs work, so a thousand are enough, if they are not the whole body before."""
    talk = Talk(configuration, body_at_most=10_000)
    with pytest.raises(Failed, match="more than 1000 frames that bring next to nothing"):
        talk.carry_on(raw(section(OK), frame(0, b"x") * 2000), rounds=400)


def test_a_stream_in_pieces(talk: Talk) -> None:
    """Each new piece is sought among those that wait, so their number is bounded."""

    def act(quic: QuicConnection, _: H3Connection) -> None:
        quic.send_stream_data(0, bytes(1000))
        for offset in range(0, 1000, 2):
            quic._streams[0].sender._pending.subtract(offset, offset + 1)

    with pytest.raises(Failed, match="more than 256 pieces of streams with gaps"):
        talk.carry_on(act, rounds=400)


def test_a_handshake_without_end(talk: Talk) -> None:
    """Certificates are read in one go, so there may be only so many bytes of them."""
    with pytest.raises(Failed) as failed:
        feed(talk, bytes(1200), 60)
    assert str(failed.value) == "L6RSP QUIC handshake: more than 65536 bytes without an end of it"


def feed(talk: Talk, datagram: bytes, times: int) -> None:
    for _ in range(times):
        talk.exchange.feed(datagram, talk.now)


def test_a_flood_of_datagrams(talk: Talk) -> None:
    """It ends after so many bytes, or so many datagrams, whatever is in them."""
    talk.carry_on(raw(section(OK)), rounds=20)
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


async def test_source(silent: socket.socket) -> None:
    """It goes by the way that it was told to."""
    checker = Http3(source="127.0.0.5")
    await ask(checker, Target(address="127.0.0.1", port=silent.getsockname()[1], route=checker.route), 0.2)
    assert silent.recvfrom(2000)[1][0] == "127.0.0.5"


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
    assert (await ask(Http3(), Target(address="127.0.0.1", port=free_port()))).code == "L4CON"


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"tls": False}, "tls", "cannot be false here: HTTP/3 is always encrypted"),
        ({"alpn": ("h3",)}, "alpn", 'is not an option here: it is "h3"'),
        ({"cert_file": "/no/such"}, "cert_file", 'cannot read "/no/such"'),
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
