"""What a server may have the library aioquic do: HTTP/3 with bounds that the library leaves to others.

What a server sends is small beside what it can stand for: a field of a compressed header may be one byte of it, and
each is looked through in Python; a datagram may hold hundreds of frames, and a stream that comes in pieces a hundred
thousand pieces, among which each new one is sought.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pylsqpack
from aioquic.h3.connection import H3Connection, Setting
from aioquic.h3.events import Headers
from aioquic.quic.connection import QuicConnection, QuicConnectionState
from aioquic.quic.events import ConnectionTerminated, QuicEvent, StreamDataReceived

from checkers.base import Code, Failed
from checkers.http_answer import HEAD_AT_MOST

PIECES_AT_MOST = 256
"""Of streams, waiting for what is missing before them. A lost datagram leaves one more."""

_FIELD = 32  # what a field counts beside its bytes (RFC 9114, section 4.2.2)
_AT_ONCE = 1024


class BoundedConnection(H3Connection):
    """Takes fields of HEAD_AT_MOST bytes in all, unfolded, and neither a dynamic table nor pushed answers.

    Without the table a byte of a compressed header stands for one field of the standard's own list, 69 bytes long at
    most. `Failed` is raised from `handle_event`.
    """

    def __init__(self, quic: QuicConnection) -> None:
        self._room = HEAD_AT_MOST
        super().__init__(quic)

    def _init_connection(self) -> None:
        self._max_table_capacity = 0
        self._blocked_streams = 0
        self._max_push_id = None
        self._decoder = pylsqpack.Decoder(0, 0)
        super()._init_connection()

    def _get_local_settings(self) -> dict[int, int]:
        return super()._get_local_settings() | {Setting.MAX_FIELD_SECTION_SIZE: HEAD_AT_MOST}

    def _decode_headers(self, stream_id: int, frame_data: bytes | None) -> Headers:
        if len(frame_data or b"") > self._room:
            raise _too_long()
        headers = super()._decode_headers(stream_id, frame_data)
        self._room -= sum(len(name) + len(value) + _FIELD for name, value in headers)
        if self._room < 0:  # before the library looks at each byte of them
            raise _too_long()
        return headers


def _too_long() -> Failed:
    return Failed(Code.L7RSP, f"header longer than {HEAD_AT_MOST} bytes")


def in_parts(event: QuicEvent) -> Iterator[QuicEvent]:
    """The same in small parts: what comes when a gap is filled may be a stream's whole window."""
    if not isinstance(event, StreamDataReceived) or len(event.data) <= _AT_ONCE:
        yield event
        return
    for start in range(0, len(event.data), _AT_ONCE):
        last = start + _AT_ONCE >= len(event.data)
        part = event.data[start : start + _AT_ONCE]
        yield dataclasses.replace(event, data=part, end_stream=event.end_stream and last)


def pieces(quic: QuicConnection) -> int:
    """How many pieces of streams wait for what is missing before them."""
    streams = (*quic._streams.values(), *quic._crypto_streams.values())  # noqa: SLF001 - it says so nowhere else
    return sum(len(stream.receiver._ranges) for stream in streams)  # noqa: SLF001 - likewise


def ending(quic: QuicConnection) -> ConnectionTerminated | None:
    """What ends the connection, if something does: the event itself waits for what may still be under way."""
    return quic._close_event  # noqa: SLF001 - it says so nowhere else


def is_ended_by_server(quic: QuicConnection) -> bool:
    """Whether it was the server that has ended the connection."""
    return quic._state is QuicConnectionState.DRAINING  # noqa: SLF001 - likewise
