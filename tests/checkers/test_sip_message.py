"""SIP messages: what is asked, and what counts as the answer to it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkers.sip_message import (
    BODY_AT_MOST,
    HEAD_AT_MOST,
    NotAResponseError,
    Response,
    Transaction,
    options_request,
    read,
    take,
)

OURS = Transaction.of("0123456789abcdefghijklmnopqrstuvwxyz")


def response(
    *, via: str = "SIP/2.0/UDP 10.0.0.1:5061;branch=z9hG4bK0123456789abcdef;received=10.0.0.1", more: str = ""
) -> bytes:
    lines = (
        "SIP/2.0 200 OK",
        f"Via: {via}",
        "Call-ID: ghijklmnopqrstuv",
        "CSeq: 1 OPTIONS",
        *more.splitlines(),
        "",
        "",
    )
    return "\r\n".join(lines).encode()


def test_request() -> None:
    """What RFC 3261, section 8.1.1 demands of every request, and rport of RFC 3581."""
    assert options_request(OURS, uri="sip:10.0.0.9:5060", transport="UDP", local="10.0.0.1:5061") == (
        b"OPTIONS sip:10.0.0.9:5060 SIP/2.0\r\n"
        b"Via: SIP/2.0/UDP 10.0.0.1:5061;rport;branch=z9hG4bK0123456789abcdef\r\n"
        b"Max-Forwards: 70\r\n"
        b"From: <sip:healthd@10.0.0.1:5061>;tag=wxyz\r\n"
        b"To: <sip:10.0.0.9:5060>\r\n"
        b"Call-ID: ghijklmnopqrstuv\r\n"
        b"CSeq: 1 OPTIONS\r\n"
        b"Accept: application/sdp\r\n"
        b"User-Agent: healthd\r\n"
        b"Content-Length: 0\r\n\r\n"
    )


OTHER_SPELLINGS = (
    b"sip/2.0 200 OK\r\nVIA:SIP/2.0/UDP h;Branch = z9hG4bK0123456789abcdef , SIP/2.0/UDP x;branch=y\r\n"
    b"i: ghijklmnopqrstuv\r\ncseq:\r\n 1\r\n\tOPTIONS\r\n\r\nbody"
)


@pytest.mark.parametrize(
    "message",
    [
        response(),
        b"\r\n\r\n" + response(),
        OTHER_SPELLINGS,
        response().replace(b"Via", b"v"),
        response(more="Via: SIP/2.0/UDP elsewhere;branch=z9hG4bKother"),
    ],
)
def test_answers(message: bytes) -> None:
    """Short names, any case, folded lines and further Vias below are all of the protocol."""
    assert read(message, OURS) == Response(200, "OK")


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (b"", "expected a SIP response"),
        (b"OPTIONS sip:x SIP/2.0\r\n\r\n", "expected a SIP response"),
        (b"SIP/2.0 2000 OK\r\n\r\n", "expected a SIP response"),
        (b"SIP/2.0 700 OK\r\n\r\n", "expected a SIP response"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "expected a SIP response"),
        (b"SIP/2.0 200 OK\r\n\r\n", "the branch of its first Via is not that of the request"),
        (response(via="SIP/2.0/UDP a;branch=z9hG4bKother"), "the branch of its first Via"),
        (
            response(via="SIP/2.0/UDP a;branch=x, SIP/2.0/UDP a;branch=z9hG4bK0123456789abcdef"),
            "the branch of its first",
        ),
        (response().replace(b"ghij", b"GHIJ"), "its Call-ID is not that of the request"),
        (response().replace(b"1 OPTIONS", b"2 OPTIONS"), 'its CSeq is "2 OPTIONS", not that of the request'),
        (response().replace(b"1 OPTIONS", b"1 INVITE"), 'its CSeq is "1 INVITE", not that of the request'),
    ],
)
def test_no_answers(message: bytes, text: str) -> None:
    """Another request's response, and what is no response at all."""
    with pytest.raises(NotAResponseError, match=text):
        read(message, OURS)


def test_a_long_header() -> None:
    """One that is longer than is read is none in a datagram, either: neither in bytes nor in lines."""
    with pytest.raises(NotAResponseError, match="a header of more than 16384 bytes"):
        read(response(more="X: " + "y" * 16384), OURS)
    most = 200 - 3
    assert read(response(more="x:\n" * most), OURS).status == 200
    with pytest.raises(NotAResponseError, match="a header of more than 200 lines"):
        read(response(more="x:\n" * (most + 1)), OURS)


def test_stream() -> None:
    """A response is taken with its body as soon as it is whole, and not before; what follows it is left."""
    whole = response(more="Content-Length: 4") + b"body"
    assert take(whole + b"SIP", OURS) == (Response(200, "OK"), b"SIP")
    assert all(take(whole[:end], OURS) is None for end in range(len(whole)))


@pytest.mark.parametrize(
    ("received", "text"),
    [
        (b"HTTP/1.1 400", "expected a SIP response"),
        (b"SIP/2.0 200 OK\r\n" + b"X: y\r\n" * HEAD_AT_MOST, f"a header of more than {HEAD_AT_MOST} bytes"),
        (response(more="Content-Length: 99999"), f"a Content-Length of .*; up to {BODY_AT_MOST} bytes are read"),
        (response(more="l: -1"), "a Content-Length of"),
    ],
)
def test_bounds(received: bytes, text: str) -> None:
    """What can become no answer is refused at once, and an enormous length costs nothing."""
    with pytest.raises(NotAResponseError, match=text):
        take(received, OURS)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.builds(
            lambda at, some: response()[:at] + some + response()[at:], st.integers(0, 120), st.binary(max_size=9)
        ),
    )
)
def test_any_bytes(received: bytes) -> None:
    """No other exception than the documented one."""
    for parse in (read, take):
        try:
            parse(received, OURS)
        except NotAResponseError:
            continue
