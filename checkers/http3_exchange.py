"""One request over HTTP/3, and its answer from a server that may send anything.

QUIC and HTTP/3 are the library aioquic's work, as state machines without I/O. What is bounded here is what they take:
bytes and datagrams in all, and the fields before the body.
"""

from __future__ import annotations

import logging
import ssl
from dataclasses import dataclass

from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import (
    ConnectionTerminated,
    HandshakeCompleted,
    QuicEvent,
    StopSendingReceived,
    StreamDataReceived,
    StreamReset,
)
from aioquic.tls import AlertDescription

from checkers.base import Code, Failed, show
from checkers.http_answer import HEAD_AT_MOST
from checkers.http_fields import Field, FieldsAnswer

# What the library has to say of a connection is in the outcome too: it would say it again at every check.
logging.getLogger("quic").setLevel(logging.CRITICAL)

_OVERHEAD = 262144  # bytes beside the body: the handshake with its certificates, heads, and what QUIC says itself
_EMPTY_AT_MOST = 1000  # datagrams beside those that _OVERHEAD and the body may need
_SMALL_DATAGRAM = 256
_TLS_ALERT = range(0x100, 0x200)  # RFC 9001, section 4.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whom to believe: `authorities` in PEM form, or None for the system's; nobody is asked without `verify`."""

    verify: bool
    authorities: bytes | None


class Exchange:
    """Datagrams in, datagrams out; times are those of one monotonic clock, in seconds."""

    def __init__(self, request: list[Field], body: bytes | None, body_at_most: int, *, name: str, trust: Trust) -> None:
        self.answer = FieldsAnswer("HTTP/3")
        self.shaken = False
        self._request, self._body = request, body
        self._body_at_most = body_at_most
        self._room = _OVERHEAD + 2 * body_at_most
        self._datagrams = _EMPTY_AT_MOST + self._room // _SMALL_DATAGRAM
        self._head_room = HEAD_AT_MOST
        self._quic = QuicConnection(configuration=_configuration(name, trust, body_at_most))
        self._http: H3Connection | None = None
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
        self._quic.receive_datagram(datagram, ("server", 0), now)
        self._take_events()

    def close(self) -> None:
        """Says goodbye with the next datagrams."""
        self._quic.close()

    def _take_events(self) -> None:
        while (event := self._quic.next_event()) is not None:
            match event:
                case HandshakeCompleted():
                    self.shaken = True
                    self._ask()
                case ConnectionTerminated():
                    raise self._ended(event)
                case StreamReset(stream_id=self._stream) | StopSendingReceived(stream_id=self._stream):
                    if not self.answer.complete:
                        raise self._failed(f"the server has reset the stream: error {event.error_code:#x}")
                case _:
                    self._take(event)

    def _ask(self) -> None:
        self._http = H3Connection(self._quic)
        self._stream = self._quic.get_next_available_stream_id()
        self._http.send_headers(self._stream, self._request, end_stream=self._body is None)
        if self._body is not None:
            self._http.send_data(self._stream, self._body, end_stream=True)

    def _take(self, event: QuicEvent) -> None:
        if self._http is None:
            return
        if isinstance(event, StreamDataReceived) and not self.answer.status:
            self._head_room -= len(event.data)  # a small head may unfold to a great deal
            if self._head_room < 0:
                raise self._failed(f"header longer than {HEAD_AT_MOST} bytes")
        answer = self.answer
        for heard in self._http.handle_event(event):
            if isinstance(heard, HeadersReceived) and heard.stream_id == self._stream:
                if answer.status:
                    answer.trailers = [*heard.headers]
                else:
                    answer.take_head(heard.headers)
                answer.complete = heard.stream_ended and answer.status > 0
            elif isinstance(heard, DataReceived) and heard.stream_id == self._stream:
                answer.body += heard.data[: self._body_at_most - len(answer.body)]
                answer.complete = heard.stream_ended

    def _ended(self, event: ConnectionTerminated) -> Failed:
        """The connection is over: by the server, or by this side, which did not accept something of the server's."""
        code, text = event.error_code, f" {show(event.reason_phrase)}" if event.reason_phrase else ""
        if event.frame_type is not None and code in _TLS_ALERT:  # HTTP/3 has errors of the same numbers
            return Failed(Code.L6RSP, f"TLS handshake: {_alert(code)}{text}")
        if not self.shaken:
            return Failed(Code.L6RSP, f"QUIC handshake: ended with error {code:#x}{text}")
        return self._failed(f"connection ended with error {code:#x}{text}")

    def _failed(self, text: str) -> Failed:
        answered = f"answered {self.answer.status_line}, " if self.answer.status else ""
        return Failed(Code.L7RSP, answered + text)


def _configuration(name: str, trust: Trust, body_at_most: int) -> QuicConfiguration:
    window = _OVERHEAD + body_at_most
    configuration = QuicConfiguration(
        alpn_protocols=["h3"],
        server_name=name,
        verify_mode=ssl.CERT_REQUIRED if trust.verify else ssl.CERT_NONE,
        max_data=window,
        max_stream_data=window,
    )
    system = ssl.get_default_verify_paths()
    if trust.authorities is None:
        configuration.load_verify_locations(cafile=system.cafile, capath=system.capath)
    else:
        configuration.load_verify_locations(cadata=trust.authorities)
    return configuration


def _alert(code: int) -> str:
    try:
        return AlertDescription(code - _TLS_ALERT.start).name.replace("_", " ")
    except ValueError:
        return f"alert {code - _TLS_ALERT.start}"
