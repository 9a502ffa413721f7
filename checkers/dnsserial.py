"""Serial numbers of zones, and how far one is behind another (RFC 1982). Pure."""

from __future__ import annotations

import ipaddress
import re

from checkers.base import OptionError

_WHERE = re.compile(
    r"\[(?P<six>[0-9A-Fa-f:.]+)\](?::(?P<six_port>[0-9]{1,5}))?|(?P<four>[0-9.]+)(?::(?P<port>[0-9]{1,5}))?"
)
_HALF, _ALL = 1 << 31, 1 << 32


def behind(own: int, other: int) -> int | None:
    """How many numbers `own` is behind `other`: less than none if it is ahead, None if the two cannot be compared."""
    forward = (other - own) % _ALL
    if forward == _HALF:
        return None
    return forward if forward < _HALF else forward - _ALL


def serial_of(record: str) -> int:
    """The serial in the text of an SOA record, which the third word is (RFC 1035, section 3.3.13)."""
    return int(record.split()[2])


def server_at(option: str, text: str, default_port: int) -> tuple[str, int]:
    """Address and port in "192.0.2.1", "192.0.2.1:5353", "2001:db8::1" or "[2001:db8::1]:5353".

    Raises:
        OptionError: it is none of these.

    """
    match = _WHERE.fullmatch(text)
    address = (match["six"] or match["four"]) if match else text
    port = int((match["six_port"] or match["port"] or default_port) if match else default_port)
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        parsed = None
    if parsed is None or not 1 <= port <= 65535 or (match and bool(match["six"]) != (parsed.version == 6)):
        raise OptionError(
            option, f'must be an address, with a port if it is another, such as "192.0.2.1:5353", not "{text}"'
        )
    return str(parsed), port
