"""Addresses as they are written in a configuration: always numeric, and in their canonical form once read."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from typing import Annotated

from checkers.base import show
from healthd.config.fields import OFF, Written, refuse, whole
from healthd.config.words import described, number
from healthd.model import Endpoint

_HOST_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")
_ENDPOINT = re.compile(r"(?:\[(?P<six>[^\[\]]*)\]|(?P<four>[^:\[\]]*)):(?P<port>[0-9]{1,5})")
_ENDPOINT_EXAMPLE = '"192.168.7.110:80" or "[2001:db8::10]:80"'


def _canonical(text: str) -> str:
    """The address in its one form.

    Raises:
        PydanticCustomError: it is not numeric, or no single machine can have it.

    """
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    try:
        packed = socket.inet_pton(family, text)
    except (OSError, ValueError):
        if _HOST_NAME.fullmatch(text):
            refuse(f"{show(text)} is a host name; expected a numeric address, since names are not looked up")
        refuse(f'expected an IPv4 or IPv6 address such as "192.168.7.11" or "2001:db8::11", not {show(text)}')
    first = packed[0]
    nobody = (first == 0 or first >= 224) if len(packed) == 4 else (first == 255 or not any(packed))
    if nobody:
        refuse(f"{show(text)} is not the address of a machine")
    return socket.inet_ntop(family, packed)


def _address(value: object) -> str:
    if not isinstance(value, str):
        refuse(f'expected an address such as "192.168.7.11", not {described(value)}')
    if _ENDPOINT.fullmatch(value):
        refuse(f"{show(value)} has a port; it goes into the key port")
    return _canonical(value)


Address = Annotated[str, Written(_address, {"type": "string", "examples": ["192.168.7.11", "2001:db8::11"]})]


def endpoint_of(value: object) -> Endpoint:
    if not isinstance(value, str):
        refuse(f"expected {_ENDPOINT_EXAMPLE}, not {described(value)}")
    match = _ENDPOINT.fullmatch(value)
    if match is None:
        refuse(f"expected an address and a port such as {_ENDPOINT_EXAMPLE}, not {show(value)}")
    address = _canonical(match["four"] if match["six"] is None else match["six"])
    if int(match["port"]) > 65535:
        refuse(f"the port must be from 0 to 65535, not {match['port']}")
    return Endpoint(address, int(match["port"]))


EndpointText = Annotated[
    Endpoint, Written(endpoint_of, {"type": "string", "examples": ["192.168.7.110:80", "[2001:db8::10]:80"]})
]


@dataclass(frozen=True, slots=True)
class Netmask:
    """How it is written decides the family it is for: a dotted mask is for IPv4, a number for IPv6."""

    family: int
    prefix: int


def _dotted(mask: str) -> int:
    """The length of the prefix that a dotted mask stands for; 0 if it stands for none."""
    try:
        bits = int.from_bytes(socket.inet_pton(socket.AF_INET, mask))
    except (OSError, ValueError):
        return 0
    rest = bits ^ 0xFFFFFFFF
    return bits.bit_count() if rest & (rest + 1) == 0 else 0


def _prefix(length: int) -> int:
    if not 1 <= length <= 128:
        refuse(f"the length of a prefix must be from 1 to 128, not {number(length)}")
    return length


def _netmask(value: object) -> Netmask:
    if type(value) is int or (isinstance(value, str) and re.fullmatch(r"[0-9]{1,3}", value)):
        return Netmask(socket.AF_INET6, _prefix(int(value)))
    prefix = _dotted(value) if isinstance(value, str) else 0
    if not prefix:
        refuse(f'expected a netmask such as "255.255.255.0", or for IPv6 a prefix length, not {described(value)}')
    return Netmask(socket.AF_INET, prefix)


NetmaskText = Annotated[
    Netmask,
    Written(_netmask, {"anyOf": [{"type": "string"}, whole(1, 128).schema], "examples": ["255.255.255.0", 64]}),
]


def read_fallback(value: object) -> object:
    """The table that a fallback in one string stands for; None for none at all."""
    if value == OFF:
        return None
    if isinstance(value, dict):
        return value
    endpoint = endpoint_of(value)
    return {"address": endpoint.address, "port": endpoint.port}
