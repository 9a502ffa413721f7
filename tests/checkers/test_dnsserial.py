import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.base import OptionError
from checkers.dnsserial import behind, serial_of, server_at

SERIALS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize(
    ("own", "other", "lag"),
    [
        (1, 1, 0),
        (1, 4, 3),
        (4, 1, -3),
        (2026010100, 2026010203, 103),
        (4294967294, 1, 3),
        (1, 4294967294, -3),
        (0, 2**31 - 1, 2**31 - 1),
        (0, 2**31, None),
        (0, 2**31 + 1, 1 - 2**31),
    ],
)
def test_serials_go_round(own: int, other: int, lag: int | None) -> None:
    """The larger is the one that fewer steps lead to; of opposite ones neither is."""
    assert behind(own, other) == lag


@given(SERIALS, SERIALS)
def test_who_is_behind_is_agreed_on(own: int, other: int) -> None:
    """One is as far behind as the other is ahead, and catches up by that many."""
    lag = behind(own, other)
    assert behind(other, own) == (None if lag is None else -lag)
    assert lag is None or (own + lag) % 2**32 == other


def test_the_serial_is_the_third_word() -> None:
    """After the name of the server and the mailbox."""
    assert serial_of("ns1.example.test. admin.example.test. 2026010100 3600 600 86400 60") == 2026010100


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("2001:DB8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ],
)
def test_where_the_other_server_is(text: str, where: tuple[str, int]) -> None:
    """An address, and a port if it is another than usual."""
    assert server_at("serial_of", text, 53) == where


@pytest.mark.parametrize("text", ["", "ns1", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2", "[192.0.2.1]:53", "::1:x"])
def test_what_is_no_address_is_refused(text: str) -> None:
    """Names are not looked up: the check would hang on the very servers that it is for."""
    with pytest.raises(OptionError) as caught:
        server_at("serial_of", text, 53)
    assert str(caught.value) == (
        f'must be an address, with a port if it is another, such as "192.0.2.1:5353", not "{text}"'
    )
