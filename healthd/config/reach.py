"""The kinds of value in [control]: where healthd listens, and who may come."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from checkers.base import show
from healthd.config.addresses import endpoint_of
from healthd.config.fields import OFF, Written, path_of, refuse
from healthd.config.words import described
from healthd.model import Endpoint

LONGEST_SOCKET = 107
"""Bytes of a unix socket's path: one less than sun_path has (unix(7))."""

_HOST_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63}){0,20}")
_GROUP = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,63}")


def _socket(value: object) -> Path | None:
    if value == OFF:
        return None
    path = path_of(value)
    if len(bytes(path)) > LONGEST_SOCKET:
        refuse(f"is {len(bytes(path))} bytes long, and the path of a socket has at most {LONGEST_SOCKET}")
    return path


SocketPath = Annotated[Path | None, Written(_socket, {"type": "string"})]
"""None when it is switched off."""


def _group(value: object) -> str:
    if type(value) is int and 0 <= value < 2**32 - 1:
        return str(value)
    if not isinstance(value, str) or not _GROUP.fullmatch(value):
        refuse(f'expected the name of a group such as "adm", or its number, not {described(value)}')
    return value


GroupText = Annotated[
    str, Written(_group, {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 0}], "examples": ["adm"]})
]


def _names(value: object) -> tuple[str, ...]:
    example = '["director.example.com"]'
    if not isinstance(value, list) or not value:
        refuse(f"expected an array of host names such as {example}, not {described(value)}")
    for name in value:
        if not isinstance(name, str) or not _HOST_NAME.fullmatch(name):
            hint = f"{show(name)}" if isinstance(name, str) else described(name)
            refuse(f"expected an array of host names such as {example}, without ports; {hint} is none")
    return tuple(dict.fromkeys(name.lower() for name in value))


HostNames = Annotated[tuple[str, ...], Written(_names, {"type": "array", "items": {"type": "string"}, "minItems": 1})]


_EVERYWHERE = {"0.0.0.0": Endpoint("0.0.0.0", 0), "[::]": Endpoint("::", 0)}


def _listen(value: object) -> Endpoint:
    """An endpoint of this machine: unlike that of another, it may stand for all addresses."""
    if isinstance(value, str):
        address, _, port = value.rpartition(":")
        if address in _EVERYWHERE and re.fullmatch(r"[0-9]{1,5}", port) and int(port) <= 65535:
            return _EVERYWHERE[address]._replace(port=int(port))
    return endpoint_of(value)


def _listens(value: object) -> tuple[Endpoint, ...]:
    if not isinstance(value, list):
        refuse(f'expected an array of addresses and ports such as ["127.0.0.1:9080"], not {described(value)}')
    return tuple(dict.fromkeys(map(_listen, value)))


ListenTexts = Annotated[
    tuple[Endpoint, ...],
    Written(_listens, {"type": "array", "items": {"type": "string", "examples": ["127.0.0.1:9080", "[::]:9080"]}}),
]
"""Each once. Port 0 is any that is free."""
