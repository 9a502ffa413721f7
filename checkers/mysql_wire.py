"""The first packets of MySQL's protocol, which MariaDB speaks too, as bytes and values; no I/O.

MySQL's internals manual, "Connection Phase Packets"; MariaDB's documentation, "Connection".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

LONGEST = 4096
"""Bytes of a packet before the login. A greeting has about 100, an error at most 600."""

COM_QUIT = b"\x01\0\0\0\x01"

_LONG_PASSWORD, _PROTOCOL_41, _SSL, _SECURE_CONNECTION, _PLUGIN_AUTH = 0x1, 0x200, 0x800, 0x8000, 0x80000
_UTF8MB4 = 45
_MAX_PACKET = 1 << 24

_ACCESS_DENIED = frozenset({1045, 1251, 1698, 3118, 3159, 4151})
"""ER_ACCESS_DENIED_ERROR, ER_NOT_SUPPORTED_AUTH_MODE, ER_ACCESS_DENIED_NO_PASSWORD_ERROR, ER_ACCOUNT_HAS_BEEN_LOCKED
of either, ER_SECURE_TRANSPORT_REQUIRED: the server does its work and does not want this user."""

_HOST_IS_BLOCKED = 1129  # ER_HOST_IS_BLOCKED, after max_connect_errors


class NotMysqlError(ValueError):
    """What was received cannot be a packet of a server that somebody logs in to."""


@dataclass(frozen=True, slots=True)
class Packet:
    number: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Greeting:
    """`method` is how the server would have clients prove who they are; empty where it does not say, as before 5.5."""

    version: str
    tls: bool
    method: bytes = b""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An ERR packet."""

    number: int
    text: str

    @property
    def only_of_the_client(self) -> bool:
        return self.number in _ACCESS_DENIED

    @property
    def only_of_this_host(self) -> bool:
        return self.number == _HOST_IS_BLOCKED


def first_packet(received: bytes) -> Packet | None:
    """The packet that `received` begins with, None while it is not whole.

    Raises:
        NotMysqlError: it is empty or longer than any before the login.

    """
    if len(received) < 4:
        return None
    length = int.from_bytes(received[:3], "little")
    if not 1 <= length <= LONGEST:
        raise NotMysqlError
    return Packet(received[3], received[4 : 4 + length]) if len(received) >= 4 + length else None


def greeting(body: bytes) -> Greeting | Refusal:
    """Of the body of the server's first packet: Protocol::HandshakeV10, or an error.

    Raises:
        NotMysqlError: it is neither.

    """
    if body[:1] == b"\xff":
        return refusal(body)
    version, nul, rest = body[1:].partition(b"\0")
    if body[:1] != b"\x0a" or not version or not nul or len(rest) < 15:  # thread id, scramble, filler, capabilities
        raise NotMysqlError
    (capabilities,) = struct.unpack_from("<H", rest, 13)
    return Greeting(version.decode("latin1"), bool(capabilities & _SSL), _method(rest))


def _method(rest: bytes) -> bytes:
    """Of a greeting from its thread id on: what follows the second part of the scramble, of 13 bytes at least."""
    if len(rest) < 31 or not int.from_bytes(rest[18:20], "little") << 16 & _PLUGIN_AUTH:
        return b""
    return rest[31 + max(13, rest[20] - 8) :].partition(b"\0")[0]


def refusal(body: bytes) -> Refusal:
    """Of the body of an ERR packet.

    Raises:
        NotMysqlError: it has no error number.

    """
    if len(body) < 3 or body[0] != 0xFF:
        raise NotMysqlError
    text = body[9:] if body[3:4] == b"#" else body[3:]  # "#" and the SQLSTATE, which says less than the number
    return Refusal(int.from_bytes(body[1:3], "little"), text.decode("utf-8", "backslashreplace"))


def ssl_request(number: int, method: bytes) -> bytes:
    """Protocol::SSLRequest, as packet `number`: the beginning of the login, which MySQL reads here and not there."""
    return _packet(number, _client(method, tls=True))


def login(number: int, user: str, method: bytes, *, tls: bool) -> bytes:
    """Protocol::HandshakeResponse41 of a user without a password, as packet `number`."""
    named = method + b"\0" if method else b""
    return _packet(number, _client(method, tls=tls) + user.encode() + b"\0\0" + named)


def no_password(number: int) -> bytes:
    """The answer to Protocol::AuthSwitchRequest, whatever the method, as packet `number`."""
    return _packet(number, b"")


def _client(method: bytes, *, tls: bool) -> bytes:
    more = (_SSL if tls else 0) | (_PLUGIN_AUTH if method else 0)
    capabilities = _LONG_PASSWORD | _PROTOCOL_41 | _SECURE_CONNECTION | more
    return struct.pack("<IIB23x", capabilities, _MAX_PACKET, _UTF8MB4)


def _packet(number: int, body: bytes) -> bytes:
    return len(body).to_bytes(3, "little") + bytes([number % 256]) + body
