"""The frames of RFC 6455, as a client writes them and as it reads those of a server that may send anything."""

from __future__ import annotations

import base64
import enum
import hashlib
import struct
from typing import NamedTuple

from checkers.base import show

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # section 1.3
_CONTROL_AT_MOST = 125  # section 5.5
_FRAMES_AT_MOST = 1000  # of all messages: a frame may be empty, and costs a look all the same


class FrameError(ValueError):
    """What came is not what RFC 6455 allows, or more than was asked for; the text says what is wrong."""


class Opcode(enum.IntEnum):
    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class Message(NamedTuple):
    """A whole message or a control frame: `opcode` is never CONTINUATION."""

    opcode: Opcode
    data: bytes


def accept_of(key: bytes) -> str:
    """The Sec-WebSocket-Accept that belongs to a Sec-WebSocket-Key (section 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest()).decode()


def encoded(opcode: Opcode, data: bytes, mask: bytes) -> bytes:
    """One final frame of a client's; `mask` are four bytes that nobody can foretell (section 5.3)."""
    if len(data) <= 125:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | len(data))
    elif len(data) <= 65535:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, len(data))
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, len(data))
    repeated = (mask * (len(data) // 4 + 1))[: len(data)]
    masked = int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")
    return head + mask + masked.to_bytes(len(data), "big")


def described_close(data: bytes) -> str:
    """The payload of a close frame for people: `1011 "out of order"` (section 5.5.1)."""
    if len(data) < 2:
        return "without a code"
    reason = f" {show(data[2:])}" if len(data) > 2 else ""
    return f"{int.from_bytes(data[:2], 'big')}{reason}"


class Incoming:
    """Bytes of a server in, messages out. A message, in however many frames, has at most `longest` bytes."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._buffer = bytearray()
        self._opcode: Opcode | None = None  # of the message whose frames are still coming
        self._parts = bytearray()
        self._frames = 0

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def take(self) -> Message | None:
        """The next message, or None while more is needed.

        Raises:
            FrameError: something else has come. The connection is of no use then.

        """
        while (frame := self._frame()) is not None:
            final, opcode, data = frame
            if opcode >= Opcode.CLOSE:
                return Message(opcode, data)
            self._take_part(opcode, data)
            if final:
                return self._whole()
        return None

    def _take_part(self, opcode: Opcode, data: bytes) -> None:
        if (opcode is Opcode.CONTINUATION) is (self._opcode is None):
            what = "a continuation of nothing" if self._opcode is None else "a new message within another"
            raise FrameError(what)
        if self._opcode is None:
            self._opcode = opcode
        self._parts += data
        self._frames += 1
        if self._frames > _FRAMES_AT_MOST:
            raise FrameError(f"messages in more than {_FRAMES_AT_MOST} frames")

    def _whole(self) -> Message:
        data, opcode = bytes(self._parts), self._opcode
        self._parts.clear()
        self._opcode = None
        assert opcode is not None  # noqa: S101 - a part was taken
        if opcode is Opcode.TEXT:
            try:
                data.decode()
            except UnicodeDecodeError as error:
                raise FrameError(f"a text that is not UTF-8: {show(data)}") from error
        return Message(opcode, data)

    def _frame(self) -> tuple[bool, Opcode, bytes] | None:
        """The next frame (section 5.2). What can be said of it from its head is said before its payload has come."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        final, opcode = bool(buffer[0] & 0x80), self._opcode_of(buffer[0])
        length, start = buffer[1], 2
        if length & 0x80:
            raise FrameError("a masked frame, which only a client may send")
        if length > 125:
            start = 4 if length == 126 else 10
            if len(buffer) < start:
                return None
            length = int.from_bytes(buffer[2:start], "big")
            if length <= (125 if start == 4 else 65535):
                raise FrameError(f"a length of {length} written in {start - 2} bytes")
        self._check_length(final, opcode, length)
        if len(buffer) < start + length:
            return None
        data = bytes(buffer[start : start + length])
        del buffer[: start + length]
        return final, opcode, data

    def _opcode_of(self, first: int) -> Opcode:
        if first & 0x70:
            raise FrameError(f"a frame with reserved bits set, {show(bytes(self._buffer))}")
        try:
            return Opcode(first & 0x0F)
        except ValueError:
            raise FrameError(f"a frame of the unknown kind {first & 0x0F}, {show(bytes(self._buffer))}") from None

    def _check_length(self, final: bool, opcode: Opcode, length: int) -> None:  # noqa: FBT001 - a bit of the frame
        if opcode >= Opcode.CLOSE:
            if length > _CONTROL_AT_MOST or not final:
                raise FrameError(f"a {opcode.name.lower()} frame that is too long or not whole")
        elif len(self._parts) + length > self._longest:
            raise FrameError(f"a message of more than {self._longest} bytes")
