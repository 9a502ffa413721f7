from __future__ import annotations

from collections.abc import Callable

import pytest

from healthd.config import Config

Loads = Callable[[str], Config]

SERVICE = """
[defaults]
check = {{ type = "always" }}
{defaults}

[service.web]
virtual = "192.168.7.110:80"
server = [{{ address = "10.0.0.1" }}, {{ address = "10.0.0.2" }}, {{ address = "10.0.0.3" }}]
{own}
"""


@pytest.mark.parametrize(
    ("defaults", "own", "expected"),
    [
        ("", "", 1),
        ("", "min_available = 0", 0),
        ("", "min_available = 3", 3),
        ("", 'min_available = "0%"', 0),
        ("", 'min_available = "1%"', 1),
        ("", 'min_available = "50%"', 2),
        ("", 'min_available = "67%"', 3),
        ("", 'min_available = "100%"', 3),
        ('min_available = "50%"', "", 2),
        ("min_available = 5", "min_available = 1", 1),
    ],
)
def test_what_has_to_be_left(loads: Loads, defaults: str, own: str, expected: int) -> None:
    """A number, or a share rounded up; what stands nearest wins."""
    (service,) = loads(SERVICE.format(defaults=defaults, own=own)).services
    assert service.min_available == expected


def test_what_is_built_in_is_right_for_a_service_without_a_server(loads: Loads) -> None:
    """Nobody has asked for more than there is."""
    (service,) = loads('[service.web]\nvirtual = "192.168.7.110:80"\ncheck = { type = "always" }').services
    assert service.min_available == 1
