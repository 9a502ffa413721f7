import click
import pytest

from healthd.cli.address import resolved, split


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [
        ("192.0.2.1", "192.0.2.1", 0),
        ("192.0.2.1:80", "192.0.2.1", 80),
        ("www.example.com:8080", "www.example.com", 8080),
        ("2001:db8::1", "2001:db8::1", 0),
        ("[2001:db8::1]", "2001:db8::1", 0),
        ("[2001:db8::1]:443", "2001:db8::1", 443),
    ],
)
def test_how_an_address_is_written(written: str, host: str, port: int) -> None:
    """An IPv6 address needs brackets only before a port."""
    assert split(written) == (host, port)


@pytest.mark.parametrize("written", ["", ":80", "192.0.2.1:", "192.0.2.1:http", "[::1]80", "[]:80", "a:0", "a:65536"])
def test_what_is_no_address(written: str) -> None:
    """Refused with the text in question; never a guess."""
    with pytest.raises(click.UsageError) as caught:
        split(written)
    assert f'"{written}"' in str(caught.value)


def test_numeric_addresses_are_their_own() -> None:
    """Nothing is looked up for them."""
    assert resolved("192.0.2.1") == ["192.0.2.1"]
    assert resolved("2001:db8::1") == ["2001:db8::1"]
