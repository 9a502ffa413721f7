"""The first packets of MySQL's protocol."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.mysql_wire import (
    LONGEST,
    Greeting,
    NotMysqlError,
    Packet,
    Refusal,
    first_packet,
    greeting,
    login,
    no_password,
    refusal,
    ssl_request,
)
from tests.checkers.databases import GREETING


def test_a_packet_is_seen_when_it_is_whole() -> None:
    """However it is cut; what follows it does not matter."""
    data = b"\x02\0\0\x07ab"
    assert [first_packet(data[:end]) for end in range(len(data))] == [None] * len(data)
    assert first_packet(data) == first_packet(data + b"more") == Packet(7, b"ab")


@pytest.mark.parametrize("data", [b"\0\0\0\0", b"\xff\xff\xff\0", (LONGEST + 1).to_bytes(3, "little") + b"\0"])
def test_no_length_makes_anybody_wait(data: bytes) -> None:
    """Nothing is empty, and nothing before the login is long."""
    with pytest.raises(NotMysqlError):
        first_packet(data)


def test_a_greeting() -> None:
    """The version, whether TLS is spoken, and how clients are to prove who they are, where the server says that."""
    assert greeting(GREETING) == Greeting("8.0.36", tls=True, method=b"caching")
    plain = GREETING.replace(b"\xff\xff\xff\x02", b"\xff\xf7\xff\x02")
    assert greeting(plain) == Greeting("8.0.36", tls=False, method=b"caching")
    assert greeting(GREETING.replace(b"\xff\xdf\x15", b"\xf7\xdf\x15")) == Greeting("8.0.36", tls=True)
    assert greeting(GREETING[:-20]) == greeting(GREETING[:30]) == Greeting("8.0.36", tls=True)
    assert greeting(b"\xff\x10\x04Too many connections") == Refusal(1040, "Too many connections")


@pytest.mark.parametrize(
    "data", [b"", b"\x09", b"\x0a", b"\x0a\0" + bytes(40), b"\x0a8.0\0short", b"\xff\x01", b"SSH-2.0"]
)
def test_what_is_no_greeting(data: bytes) -> None:
    """Neither a greeting nor an error."""
    with pytest.raises(NotMysqlError):
        greeting(data)


def test_an_error() -> None:
    """With its SQLSTATE or without."""
    found = refusal(b"\xff\x15\x04#28000Access denied")
    assert found == Refusal(1045, "Access denied")
    assert found.only_of_the_client
    assert not refusal(b"\xff\x69\x04Host is blocked").only_of_the_client


def test_what_the_client_sends() -> None:
    """A request for TLS is the beginning of the login that follows it."""
    assert ssl_request(1, b"") == b"\x20\0\0\x01\x01\x8a\0\0\0\0\0\x01\x2d" + bytes(23)
    assert login(2, "me", b"", tls=True) == b"\x24\0\0\x02" + ssl_request(1, b"")[4:] + b"me\0\0"
    assert login(256, "me", b"", tls=False)[3] == 0


def test_a_login_by_a_method() -> None:
    """It is named in the login, and the request for TLS promises that; no password is an empty packet."""
    asked = ssl_request(1, b"native")
    assert asked == b"\x20\0\0\x01\x01\x8a\x08\0\0\0\0\x01\x2d" + bytes(23)
    assert login(2, "me", b"native", tls=True) == b"\x2b\0\0\x02" + asked[4:] + b"me\0\0native\0"
    assert no_password(3) == b"\0\0\0\x03"


@given(st.binary(max_size=200), st.sampled_from([b"", b"\x0a8.0\0", b"\xff\x10\x04", b"\xff"]))
def test_anything_is_read(data: bytes, beginning: bytes) -> None:
    """No exception but the one that is said."""
    for parse in (first_packet, greeting, refusal):
        try:
            parse(beginning + data)
        except NotMysqlError:
            continue
