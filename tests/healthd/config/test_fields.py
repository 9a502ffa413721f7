from __future__ import annotations

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from healthd.config.addresses import Address
from healthd.config.fields import Duration, DurationOrZero, MailAddresses, ThresholdText, choices, duration
from healthd.config.words import seconds_as_text
from healthd.model import Threshold


def read(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("1ms", 0.001), ("500ms", 0.5), ("5s", 5), ("1.5s", 1.5), ("2m", 120), ("1h", 3600), ("31d", 2678400)],
)
def test_a_duration_has_a_unit(written: str, seconds: float) -> None:
    """ms, s, m, h and d; fractions are taken."""
    assert read(Duration, written) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "written", ["", "5", "s", " 5s", "5 s", "5S", "5sec", "5s5", "1e3s", ".5s", "5.s", "inf", "\u0665s"]
)
def test_nothing_else_is_a_duration(written: str) -> None:
    """No blanks, no other units, no other digits."""
    with pytest.raises(ValidationError, match="expected a duration"):
        read(Duration, written)


def test_bounds_of_a_duration_belong_to_it() -> None:
    """Nothing is no time to wait, but a fine time to hold back a message."""
    assert read(DurationOrZero, "0s") == 0
    with pytest.raises(ValidationError, match='must be from "1ms" to "31d", not "0s"'):
        read(Duration, "0s")


@given(st.integers(1, 10**7))
def test_a_duration_is_written_as_it_is_read(milliseconds: int) -> None:
    """What a message calls a time can be written into a file."""
    text = seconds_as_text(milliseconds / 1000)
    assert read(Annotated[float, duration(0.0)], text) == pytest.approx(milliseconds / 1000, rel=1e-5)


@pytest.mark.parametrize(
    ("written", "threshold"), [(1, (1, 1)), (100, (100, 100)), ("3/5", (3, 5)), ("1/100", (1, 100)), ("2/2", (2, 2))]
)
def test_n_of_m(written: object, threshold: tuple[int, int]) -> None:
    """A number alone means in a row."""
    assert read(ThresholdText, written) == Threshold(*threshold)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [("192.168.7.11", "192.168.7.11"), ("2001:DB8:0::0011", "2001:db8::11"), ("::ffff:1.2.3.4", "::ffff:1.2.3.4")],
)
def test_an_address_has_one_form(written: str, canonical: str) -> None:
    """So that two spellings of it are one server."""
    assert read(Address, written) == canonical


@pytest.mark.parametrize(
    "written", ["", "1.2.3", "01.2.3.4", "1.2.3.4/32", "[::1]", "::1%lo", "1.2.3.4\0", "localhost", "0x7f.1", ":", "é"]
)
def test_only_numbers_are_addresses(written: str) -> None:
    """Names, shorthands, networks and scopes are refused: nothing is looked up, nothing is guessed."""
    with pytest.raises(ValidationError):
        read(Address, written)


def test_one_mail_address_is_a_list_of_one() -> None:
    """The recipients are always a tuple; a name without a domain is one of the mail server's own users."""
    assert read(MailAddresses, "root") == ("root",)
    assert read(MailAddresses, ["a@b", "c@d"]) == ("a@b", "c@d")


@pytest.mark.parametrize("written", ["a@b\nBcc: c@d", "a b@c", "<a@b>", "a@b,c@d", "@b", "a@", "ä@b"])
def test_no_header_can_be_smuggled_into_a_mail_address(written: str) -> None:
    """Line breaks, commas and brackets are refused."""
    with pytest.raises(ValidationError, match="expected a mail address"):
        read(MailAddresses, [written])


def test_names_of_an_array_count_once() -> None:
    """Writing a name twice is harmless."""
    assert read(Annotated[Any, choices(("a", "b"), "letters")], ["b", "a", "b"]) == ("b", "a")
