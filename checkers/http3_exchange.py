"""One request over HTTP/3, and its answer from a server that may send anything.

QUIC and HTTP/3 are the library aioquic's work, as state machines without I/O. What is bounded here is what they take:
bytes and datagrams in all, bytes before the end of the handshake, and what brings nothing of the answer's body.
"""

from __future__ import annotations

import logging

from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import (
    ConnectionTerminated,
    HandshakeCompleted,
    QuicEvent,
    StreamDataReceived,
    StreamReset,
)

from checkers.base import Code, Failed, show
from checkers.http3_alert import TLS_ALERTS, not_accepted, refused
from checkers.http3_bounds import PIECES_AT_MOST, BoundedConnection, ending, in_parts, is_ended_by_server, pieces
from checkers.http3_trust import Trust, configuration
from checkers.http_answer import HEAD_AT_MOST
from checkers.http_fields import Field, FieldsAnswer

# What the library has to say of a connection is in the outcome too: it would say it again at every check.
logging.getLogger("quic").setLevel(logging.CRITICAL)

IDLE_BYTES_AT_MOST = HEAD_AT_MOST
"""On streams, beside the body: fields, and frames that bring nothing."""

SMALL_PARTS_AT_MOST = 1000
"""Of the body, from frames of next to nothing: each costs us some work."""

HANDSHAKE_AT_MOST = 65536
"""Bytes that may come before its end: certificates are read and verified in one go."""

_SMALL = 256  # bytes of the body in a part
_OVERHEAD = 262144  # bytes beside the body: the handshake with its certificates, heads, and what QUIC says itself
_EMPTY_AT_MOST = 1000  # datagrams beside those that _OVERHEAD and the body may need
_SMALL_DATAGRAM = 256


class Exchange:
    """Datagrams in, datagrams out; times are those of one monotonic clock, in seconds."""

    def __init__(self, request: list[Field], body: bytes | None, body_at_most: int, *, name: str, trust: Trust) -> None:
        self.answer = FieldsAnswer("HTTP/3")
        self.shaken = False
        self._request, self._body = request, body
        self._body_at_most = body_at_most
        self._room = _OVERHEAD + 2 * body_at_most
        self._datagrams = _EMPTY_AT_MOST + self._room // _SMALL_DATAGRAM
        self._handshake_room = HANDSHAKE_AT_MOST
        self._idle_room = IDLE_BYTES_AT_MOST
        self._small_parts = 0
        self._quic = QuicConnection(configuration=configuration(name, trust, window=_OVERHEAD + body_at_most))
        self._http: BoundedConnection | None = None
        self._stream = -1

    def begin(self, now: float) -> None:
        self._quic.connect(("server", 0), now)

    def outgoing(self, now: float) -> list[bytes]:
        """The datagrams that are to be sent now."""
        return [data for data, _ in self._quic.datagrams_to_send(now)]

    @property
    def alarm(self) -> float | None:
        """When `strike` is to be called, if nothing comes before."""
        return self._quic.get_timer()

    @property
    def full(self) -> bool:
        """As much of the body was taken as may be."""
        return len(self.answer.body) >= self._body_at_most

    def strike(self, now: float) -> None:
        """Something is to be said again, or the connection is to be given up (which raises Failed)."""
        self._quic.handle_timer(now)
        self._take_events()

    def feed(self, datagram: bytes, now: float) -> None:
        """Takes a datagram.

        Raises:
            Failed: the server ends the connection, or has to be left; it is not HTTP/3, or more than may be.

        """
        self._room -= len(datagram)
        self._datagrams -= 1
        if self._room < 0 or self._datagrams < 0:
            raise self._failed("more bytes or datagrams than an answer may need, without an end of it")
        if not self.shaken:
            self._handshake_room -= len(datagram)
            if self._handshake_room < 0:
                raise Failed(Code.L6RSP, f"QUIC handshake: more than {HANDSHAKE_AT_MOST} bytes without an end of it")
        self._quic.receive_datagram(datagram, ("server", 0), now)
        if pieces(self._quic) > PIECES_AT_MOST:
            raise self._failed(f"more than {PIECES_AT_MOST} pieces of streams with gaps between them")
        self._take_events()

    def close(self) -> None:
        """Says goodbye with the next datagrams."""
        self._quic.close()

    def ensure_open(self) -> None:
        """Raises Failed once either side has ended the connection: the event of it comes only when that has drained."""
        if (event := ending(self._quic)) is not None:
            raise self._ended(event)

    def _take_events(self) -> None:
        while (event := self._quic.next_event()) is not None:
            match event:
                case HandshakeCompleted():
                    self.shaken = True
                    self._ask()
                case ConnectionTerminated():
                    raise self._ended(event)
                case StreamReset(
                    stream_id=self._stream
                ):  # to want no more of the request is no failure (RFC 9114, 4.1)
                    if not self.answer.complete:
                        raise self._failed(f"the server has reset the stream: error {event.error_code:#x}")
                case _:
                    self._take(event)

    def _ask(self) -> None:
        self._http = BoundedConnection(self._quic)
        self._stream = self._quic.get_next_available_stream_id()
        self._http.send_headers(self._stream, self._request, end_stream=self._body is None)
        if self._body is not None:
            self._http.send_data(self._stream, self._body, end_stream=True)

    def _take(self, event: QuicEvent) -> None:
        if self._http is None:
            return
        for part in in_parts(event):
            had = len(self.answer.body)
            for heard in self._http.handle_event(part):
                self._hear(heard)
            if isinstance(part, StreamDataReceived) and not self.full:
                self._count(len(part.data), len(self.answer.body) - had)

    def _count(self, size: int, gained: int) -> None:
        """So many bytes have brought so much of the body; Failed if they have brought next to nothing too often."""
        if 2 * gained < size:
            self._idle_room -= size - gained
        if self._idle_room < 0:
            raise self._failed(f"header longer than {IDLE_BYTES_AT_MOST} bytes, or frames that bring nothing")

    def _hear(self, heard: H3Event) -> None:
        answer = self.answer
        if isinstance(heard, HeadersReceived) and heard.stream_id == self._stream:
            if answer.status:
                answer.trailers = [*heard.headers]
            else:
                answer.take_head(heard.headers)
            answer.complete = heard.stream_ended and answer.status > 0
        elif isinstance(heard, DataReceived) and heard.stream_id == self._stream:
            answer.body += heard.data[: self._body_at_most - len(answer.body)]
            answer.complete = heard.stream_ended
            self._small_parts += len(heard.data) < _SMALL
            if self._small_parts > SMALL_PARTS_AT_MOST:
                raise self._failed(f"more than {SMALL_PARTS_AT_MOST} frames that bring next to nothing of the body")

    def _ended(self, event: ConnectionTerminated) -> Failed:
        """The connection is over: by the server, or by this side, which did not accept something of the server's."""
        code, text = event.error_code, f" {show(event.reason_phrase, 200)}" if event.reason_phrase else ""
        if event.frame_type is not None and code in TLS_ALERTS:  # HTTP/3 has errors of the same numbers
            told = refused(code, text) if is_ended_by_server(self._quic) else not_accepted(code, text)
            return Failed(Code.L6RSP, f"TLS handshake: {told}")
        if not self.shaken:
            return Failed(Code.L6RSP, f"QUIC handshake: ended with error {code:#x}{text}")
        return self._failed(f"connection ended with error {code:#x}{text}")

    def _failed(self, text: str) -> Failed:
        answered = f"answered {self.answer.status_line}, " if self.answer.status else ""
        return Failed(Code.L7RSP, answered + text)
