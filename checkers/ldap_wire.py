"""The few messages of LDAP (RFC 4511) that a check needs, as bytes and values; no I/O.

They are the library pyasn1's work, which is the extra `ldap`, by the grammar of pyasn1-modules: that of RFC 2251, whose
messages are the same. How much it is given is bounded, as it takes some microseconds for every value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyasn1.codec.ber import encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ
from pyasn1_modules import rfc2251

from checkers.ldap_answer import ANSWER, ENTRY, REFERENCE, Decoder, NotLdapError, TooManyError

START_TLS = "1.3.6.1.4.1.1466.20037"
NO_ATTRIBUTES = "1.1"

LONGEST = 262144
"""Bytes that the answers to one request may have together."""

_SEQUENCE = 0x30
_LENGTH_OCTETS = 4  # more than anybody sends
_LARGEST_CODE = 2**31 - 1
_LONGEST_TEXT = 8192  # bytes of a name or a message: what is no UTF-8 in it takes its time
_LONGEST_TYPE = 200  # likewise of an attribute's, of which there may be many

_NAMES = {int(number): name for name, number in rfc2251.LDAPResult()["resultCode"].namedValues.items()}


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


@dataclass(frozen=True, slots=True)
class Message:
    """`operation` is the name of the protocolOp in RFC 2251; it has a `result`, or an `entry`, or is a reference."""

    number: int
    operation: str
    result: Result | None = None
    entry: Entry | None = None


def bind(number: int, dn: str, password: bytes) -> bytes:
    """A simple bind; an anonymous one with both empty."""
    request = rfc2251.BindRequest()
    request["version"], request["name"] = 3, dn.encode()
    request["authentication"]["simple"] = password
    return _message(number, "bindRequest", request)


def start_tls(number: int) -> bytes:
    request = rfc2251.ExtendedRequest()
    request["requestName"] = START_TLS
    return _message(number, "extendedReq", request)


def base_search(number: int, dn: str, attribute: str) -> bytes:
    """For the entry `dn` itself, whatever it is."""
    request = rfc2251.SearchRequest()
    request["baseObject"], request["scope"], request["derefAliases"] = dn.encode(), "baseObject", "neverDerefAliases"
    request["sizeLimit"], request["timeLimit"], request["typesOnly"] = 0, 0, False  # one entry is all there can be
    request["filter"]["present"] = "objectClass"
    request["attributes"].append(attribute)
    return _message(number, "searchRequest", request)


def unbind(number: int) -> bytes:
    """By hand: pyasn1-modules 0.4.2 writes 0x62 for its tag, where it is 0x42 (RFC 4511, section 4.3)."""
    return b"\x30\x05\x02\x01%c\x42\x00" % number


def first_message(received: bytes | bytearray) -> tuple[Message, int] | None:
    """The message that `received` begins with and its length; None while it is not whole.

    Raises:
        NotLdapError: it begins with none, or with one longer than LONGEST, or with none of an answer's.
        TooManyError: it is one of too many values.

    """
    end = _end(received)
    if end is None or len(received) < end:
        return None
    try:
        message = next(iter(Decoder(bytes(received[:end]), asn1Spec=ANSWER)))
        if not isinstance(message, PyAsn1Error):  # which is that less has come than some length in it says
            return _understood(message), end
    except TooManyError:
        raise
    except (PyAsn1Error, OverflowError, ValueError) as error:
        # pyasn1 0.6.5 lets the latter two out: for a length of eight octets, and for a number too long to be shown.
        raise NotLdapError from error
    raise NotLdapError


def _end(received: bytes | bytearray) -> int | None:
    """Where the first message ends; None while that is not known. Its length has to be a definite one (section 5.1)."""
    if not received:
        return None
    octets = received[1] & 0x7F if len(received) > 1 and received[1] & 0x80 else 0
    if received[0] != _SEQUENCE or octets > _LENGTH_OCTETS or received[1:2] == b"\x80":
        raise NotLdapError
    if len(received) < 2 + octets:
        return None
    end = 2 + octets + (int.from_bytes(received[2 : 2 + octets], "big") if octets else received[1])
    if end > LONGEST:
        raise NotLdapError
    return end


def _understood(message: Any) -> Message:
    number, operation = int(message["messageID"]), message["protocolOp"]
    kind, body = operation.getName(), operation.getComponent()
    if kind == ENTRY:
        attributes = {
            _text(attribute["type"], _LONGEST_TYPE).lower(): [bytes(value) for value in attribute["vals"]]
            for attribute in body["attributes"]
        }
        return Message(number, kind, entry=Entry(_text(body["objectName"]), attributes))
    if kind == REFERENCE:
        return Message(number, kind)
    code = int(body["resultCode"])
    if not 0 <= code <= _LARGEST_CODE:
        raise NotLdapError
    return Message(number, kind, Result(code, _text(body["errorMessage"])))


def _text(value: univ.OctetString, longest: int = _LONGEST_TEXT) -> str:
    return bytes(value)[:longest].decode("utf-8", "backslashreplace")


def _message(number: int, operation: str, request: Any) -> bytes:
    message = rfc2251.LDAPMessage()
    message["messageID"] = number
    message["protocolOp"][operation] = request
    return encoder.encode(message)  # type: ignore[no-any-return] # pyasn1 ships no type information
