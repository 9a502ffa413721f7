"""The first messages of PostgreSQL's protocol."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.postgres_wire import LONGEST, Message, NotPostgresError, Refusal, first_message, refusal, startup


def test_a_startup_message() -> None:
    """As the manual has it: length, version 3.0, names and values."""
    body = b"\0\x03\0\0user\0me\0database\0mine\0application_name\0healthd\0\0"
    assert startup("me", "mine") == bytes([0, 0, 0, 4 + len(body)]) + body


def test_a_message_is_seen_when_it_is_whole() -> None:
    """However it is cut; what follows it does not matter."""
    data = b"R\0\0\0\x08\0\0\0\x0a"
    assert [first_message(data[:end]) for end in range(len(data))] == [None] * len(data)
    assert first_message(data) == first_message(data + b"more") == Message(b"R", b"\0\0\0\x0a")


@pytest.mark.parametrize("data", [b"H", b"R\0\0\0\x07", b"E\xff\xff\xff\xff", b"R" + (LONGEST + 1).to_bytes(4, "big")])
def test_what_is_none(data: bytes) -> None:
    """It is refused at the first byte that tells, and no length makes anybody wait for it."""
    with pytest.raises(NotPostgresError):
        first_message(data)


def test_an_error() -> None:
    """SQLSTATE and text, whatever else there is."""
    found = refusal(b"SFATAL\0VFATAL\0C28P01\0Mno\0Fauth.c\0\0")
    assert found == Refusal("28P01", "no")
    assert found.only_of_the_client
    assert not refusal(b"C57P03\0Mstarting\0\0").only_of_the_client
    assert refusal(b"") == Refusal("", "")
    assert refusal(b"M" + b"\xff" * 20_000).text == r"\xff" * 1023  # no more of it is ever shown


@given(st.binary(max_size=200), st.sampled_from([b"", b"R", b"E", b"R\0\0\0", b"E\0\0\0\x20"]))
def test_anything_is_read(data: bytes, beginning: bytes) -> None:
    """No exception but the one that is said."""
    try:
        found = first_message(beginning + data)
    except NotPostgresError:
        return
    assert found is None or len(found.body) <= LONGEST
    refusal(data)
