"""The two messages of gRPC's health service, version 1, as bytes.

grpc/health/v1/health.proto has `HealthCheckRequest { string service = 1; }` and `HealthCheckResponse { ServingStatus
status = 1; }`. How they are written is in Protocol Buffers' "Encoding"; each is framed by five bytes ("gRPC over
HTTP2": a flag for compression, and the length).
"""

from __future__ import annotations

import struct
import urllib.parse

from checkers.base import show

PATH = "/grpc.health.v1.Health/Check"

SERVING = 1
_SERVING_STATUSES = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}
_STATUSES = (  # by their numbers
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)

_VARINT, _I64, _LEN, _I32 = 0, 1, 2, 5


class MessageError(ValueError):
    """What came is no HealthCheckResponse; the text says why."""


def request(service: str) -> bytes:
    """A framed HealthCheckRequest; the empty service stands for the server as a whole, and is not written."""
    name = service.encode()
    message = b"\x0a" + _varint(len(name)) + name if name else b""
    return struct.pack("!BI", 0, len(message)) + message


def serving_status(body: bytes | bytearray) -> int:
    """The status in a framed HealthCheckResponse that is all of `body`; 0 where it is not written.

    Raises:
        MessageError: it is none.

    """
    if len(body) < 5:
        raise MessageError(f"no message, only {len(body)} bytes")
    compressed, length = struct.unpack("!BI", body[:5])
    if compressed:
        raise MessageError(f"a message that is compressed, as was not offered, {show(bytes(body[:20]))}")
    if length != len(body) - 5:
        raise MessageError(f"a message of {length} bytes in {len(body) - 5}")
    return _first_field(bytes(body[5:]))


def name_of_serving(status: int) -> str:
    return _SERVING_STATUSES.get(status, f"status {status}")


def described_status(status: str, message: str) -> str:
    """A grpc-status with its grpc-message, which is percent-encoded: `5 NOT_FOUND "unknown service"`."""
    name = f" {_STATUSES[int(status)]}" if status.isascii() and status.isdigit() and int(status[:9]) < 17 else ""
    text = f" {show(urllib.parse.unquote(message))}" if message else ""
    return f"{show(status, 20).strip(chr(34))}{name}{text}"


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def _first_field(message: bytes) -> int:
    """The last value of field 1, as of an enumeration; fields that are not known are passed over."""
    value, at = 0, 0
    while at < len(message):
        tag, at = _read_varint(message, at)
        kind = tag & 7
        if kind == _VARINT:
            number, at = _read_varint(message, at)
            value = number if tag >> 3 == 1 else value
        elif kind == _LEN:
            length, at = _read_varint(message, at)
            at += length
        elif kind in (_I64, _I32):
            at += 8 if kind == _I64 else 4
        else:
            raise MessageError(f"a field of the unknown type {kind}, {show(message[:20])}")
        if at > len(message) or not tag >> 3:
            raise MessageError(f"a message that is cut short or no message, {show(message[:20])}")
    return value


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    """The number that begins at `at`, and where it ends."""
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise MessageError(f"a number that does not end, {show(message[:20])}")
