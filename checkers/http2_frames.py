"""The frames of HTTP/2 as they come, before anything is made of them: some cost far more than their bytes."""

from __future__ import annotations

import struct

from checkers.base import Code, Failed
from checkers.http_answer import HEAD_AT_MOST

FRAMES_AT_MOST = 250
"""Frames beside those of the body: each costs us some work, a SETTINGS or a PING an answer too."""

SMALL_AT_MOST = 400
"""Frames with little or nothing of the body: each costs us some work, and they may come all at once."""

SETTINGS_AT_MOST = 64
"""In all frames together. There are about a dozen that mean anything, and each that does not is kept."""

# RFC 9113, section 11.2
_NAMES = ("DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY", "WINDOW_UPDATE")
_DATA, _HEADERS, _SETTINGS, _PUSH_PROMISE, _CONTINUATION = 0, 1, 4, 5, 9
_SMALL = 256  # bytes of the body in a frame
_HEAD = struct.Struct("!BHBBI")  # length in three bytes, kind, flags, stream


class Frames:
    """Bytes in; what has been heard of so far is within its bounds, or `Failed` is raised."""

    def __init__(self) -> None:
        self._begun = b""  # of a frame's head
        self._payload = 0  # bytes that are still to come of the frame before
        self._frames = 0
        self._small = 0
        self._head_room = HEAD_AT_MOST
        self._settings_room = 6 * SETTINGS_AT_MOST

    def feed(self, data: bytes) -> None:
        """Raises Failed for a frame, or a number of frames, that an answer does not need."""
        position = 0
        while position < len(data):
            skipped = min(self._payload, len(data) - position)
            self._payload -= skipped
            position += skipped
            part = data[position : position + _HEAD.size - len(self._begun)]
            self._begun += part
            position += len(part)
            if len(self._begun) == _HEAD.size:
                high, low, kind, _, _ = _HEAD.unpack(self._begun)
                self._begun, self._payload = b"", high << 16 | low
                self._look_at(kind, self._payload)

    def _look_at(self, kind: int, size: int) -> None:
        if kind == _DATA:
            self._small += size < _SMALL
            if self._small > SMALL_AT_MOST:
                raise Failed(Code.L7RSP, f"more than {SMALL_AT_MOST} frames that bring next to nothing of the body")
            return
        self._frames += 1
        if self._frames > FRAMES_AT_MOST:
            name = _NAMES[kind] if kind < len(_NAMES) else f"of kind {kind}"
            raise Failed(Code.L7RSP, f"more than {FRAMES_AT_MOST} frames beside those of the body, last {name}")
        if kind == _SETTINGS:
            self._settings_room -= size
            if self._settings_room < 0:
                raise Failed(Code.L7RSP, f"more than {SETTINGS_AT_MOST} settings, in a SETTINGS frame of {size} bytes")
        if kind in (_HEADERS, _PUSH_PROMISE, _CONTINUATION):
            self.take_fields(size)

    def take_fields(self, size: int) -> None:
        """So many bytes of fields, as they came, or more of those that they unfolded to."""
        self._head_room -= size
        if self._head_room < 0:
            raise Failed(Code.L7RSP, f"header longer than {HEAD_AT_MOST} bytes")
