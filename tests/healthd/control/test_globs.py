import pytest

from healthd.control.globs import matches_server

NAMES = ("10.0.0.1:80", "10.0.0.1:8080", "10.0.0.12:80", "[2001:db8::1]:80", "")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("10.0.0.1:80", ["10.0.0.1:80"]),
        ("10.0.0.1", ["10.0.0.1:80", "10.0.0.1:8080"]),
        ("10.0.0.?", ["10.0.0.1:80", "10.0.0.1:8080"]),
        ("10.0.0.*", ["10.0.0.1:80", "10.0.0.1:8080", "10.0.0.12:80"]),
        ("2001:db8::1", ["[2001:db8::1]:80"]),
        ("2001:*", ["[2001:db8::1]:80"]),
        ("[2001:db8::1]:80", ["[2001:db8::1]:80"]),
        ("*:80", ["10.0.0.1:80", "10.0.0.12:80", "[2001:db8::1]:80"]),
        ("10.0.0", []),
        ("*", list(NAMES)),
    ],
)
def test_a_server_is_meant_by_its_address_too(pattern: str, found: list[str]) -> None:
    """As the history finds it: with a port it is that one, without on every port."""
    assert [name for name in NAMES if matches_server(pattern, name)] == found
