"""The few messages of LDAP (RFC 4511) that a check needs, as bytes and values; no I/O.

They are BER with definite lengths only (section 5.1). Nothing here recurses, and what is read is gone through once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_INTEGER, _STRING, _ENUMERATED, _SEQUENCE, _SET, _FALSE = 0x02, 0x04, 0x0A, 0x30, 0x31, b"\x01\x01\x00"
_BIND, _UNBIND, _SEARCH, _EXTENDED = 0x60, 0x42, 0x63, 0x77
_SIMPLE, _PRESENT, _REQUEST_NAME = 0x80, 0x87, 0x80

BIND_RESPONSE, ENTRY, SEARCH_DONE, REFERENCE, EXTENDED_RESPONSE = 0x61, 0x64, 0x65, 0x73, 0x78

START_TLS = b"1.3.6.1.4.1.1466.20037"
NO_ATTRIBUTES = "1.1"

LONGEST = 262144
"""Bytes that the answers to one request may have together."""

_NAMES = {
    0: "success",
    1: "operationsError",
    2: "protocolError",
    7: "authMethodNotSupported",
    8: "strongerAuthRequired",
    10: "referral",
    13: "confidentialityRequired",
    32: "noSuchObject",
    34: "invalidDNSyntax",
    48: "inappropriateAuthentication",
    49: "invalidCredentials",
    50: "insufficientAccessRights",
    51: "busy",
    52: "unavailable",
    53: "unwillingToPerform",
    80: "other",
}


class NotLdapError(ValueError):
    """What was received cannot be an LDAPMessage."""


@dataclass(frozen=True, slots=True)
class Message:
    """`operation` is the tag of the protocolOp, `body` what is in it."""

    number: int
    operation: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """An LDAPResult."""

    code: int
    text: str

    @property
    def name(self) -> str:
        """`49 invalidCredentials`."""
        return f"{self.code} {_NAMES.get(self.code, '')}".strip()


@dataclass(frozen=True, slots=True)
class Entry:
    """A SearchResultEntry; the names of its attributes are in lower case."""

    dn: str
    attributes: dict[str, list[bytes]]


def bind(number: int, dn: str, password: bytes) -> bytes:
    """A simple bind; an anonymous one with both empty."""
    return _message(number, _BIND, _integer(3) + _tlv(_STRING, dn.encode()) + _tlv(_SIMPLE, password))


def start_tls(number: int) -> bytes:
    return _message(number, _EXTENDED, _tlv(_REQUEST_NAME, START_TLS))


def base_search(number: int, dn: str, attribute: str) -> bytes:
    """For the entry `dn` itself, whatever it is."""
    limits = _integer(0) * 2  # sizeLimit and timeLimit: none, one entry is all there can be
    scope = _tlv(_ENUMERATED, b"\0") * 2  # baseObject, neverDerefAliases
    wanted = _tlv(_SEQUENCE, _tlv(_STRING, attribute.encode()))
    body = _tlv(_STRING, dn.encode()) + scope + limits + _FALSE + _tlv(_PRESENT, b"objectClass") + wanted
    return _message(number, _SEARCH, body)


def unbind(number: int) -> bytes:
    return _message(number, _UNBIND, b"")


def first_message(received: bytes | bytearray) -> tuple[Message, int] | None:
    """The message that `received` begins with and its length; None while it is not whole.

    Raises:
        NotLdapError: it begins with none, or with one longer than LONGEST.

    """
    if not received:
        return None
    if received[0] != _SEQUENCE:
        raise NotLdapError
    if len(received) < 2 or len(received) < 2 + _octets_of_length(received[1]):
        return None
    start, end = _content(received, 0)
    if end > LONGEST:
        raise NotLdapError
    if len(received) < end:
        return None
    parts = list(_elements(bytes(received[start:end])))
    if len(parts) < 2 or parts[0][0] != _INTEGER or not 1 <= len(parts[0][1]) <= 4:
        raise NotLdapError
    return Message(int.from_bytes(parts[0][1], "big"), *parts[1]), end


def result(body: bytes) -> Result:
    """Of the body of a response that is an LDAPResult, whatever may follow it.

    Raises:
        NotLdapError: it is none.

    """
    parts = list(_elements(body))
    tags = [tag for tag, _ in parts[:3]]
    if tags != [_ENUMERATED, _STRING, _STRING] or not 1 <= len(parts[0][1]) <= 4:
        raise NotLdapError
    return Result(int.from_bytes(parts[0][1], "big"), parts[2][1].decode("utf-8", "backslashreplace"))


def entry(body: bytes) -> Entry:
    """Of the body of a SearchResultEntry.

    Raises:
        NotLdapError: it is none.

    """
    parts = list(_elements(body))
    if [tag for tag, _ in parts] != [_STRING, _SEQUENCE]:
        raise NotLdapError
    attributes: dict[str, list[bytes]] = {}
    for _, attribute in _elements(parts[1][1]):
        fields = list(_elements(attribute))
        if [tag for tag, _ in fields] != [_STRING, _SET]:
            raise NotLdapError
        name = fields[0][1].decode("utf-8", "backslashreplace").lower()
        attributes[name] = [value for _, value in _elements(fields[1][1])]
    return Entry(parts[0][1].decode("utf-8", "backslashreplace"), attributes)


def _message(number: int, operation: int, body: bytes) -> bytes:
    return _tlv(_SEQUENCE, _integer(number) + _tlv(operation, body))


def _integer(value: int) -> bytes:
    return _tlv(_INTEGER, bytes([value]))  # never more than 127 here


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    octets = bytes([size]) if size < 128 else b"\x84" + size.to_bytes(4, "big")
    return bytes([tag]) + octets + content


def _octets_of_length(first: int) -> int:
    """How many follow the first octet of a length."""
    if first == 0x80 or first > 0x84:  # indefinite, or more than anybody sends
        raise NotLdapError
    return first & 0x7F if first > 0x80 else 0


def _content(data: bytes | bytearray, offset: int) -> tuple[int, int]:
    """Where the content of the element at `offset` begins and ends."""
    try:
        more = _octets_of_length(data[offset + 1])
        size = int.from_bytes(data[offset + 2 : offset + 2 + more], "big") if more else data[offset + 1]
    except IndexError:
        raise NotLdapError from None
    start = offset + 2 + more
    return start, start + size


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element in `data`, which must be filled by them."""
    offset = 0
    while offset < len(data):
        tag = data[offset]
        start, end = _content(data, offset)
        if end > len(data) or tag & 0x1F == 0x1F:  # tags of more octets do not occur
            raise NotLdapError
        yield tag, data[start:end]
        offset = end
