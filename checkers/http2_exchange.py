"""One request over a connection of HTTP/2, and its answer from a server that may send anything.

The protocol is the library h2's work; it bounds frames, header lists and CONTINUATION frames by itself. What is
bounded here is how many bytes are taken in all; how many frames, `http2_frames` sees to.
"""

from __future__ import annotations

import re

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings
from hpack import Decoder

from checkers import net
from checkers.base import Code, Failed, Phase, Trace, show
from checkers.http2_frames import Frames
from checkers.http_answer import HEAD_AT_MOST
from checkers.http_fields import Field, FieldsAnswer

TABLE_SIZES_AT_MOST = 16
"""Changes of the size of the table that fields are compressed by; two may stand before a head (RFC 7541, 4.2)."""

_OVERHEAD = 65536  # bytes beside the body: the heads, and frames of connection and streams
_STREAM = 1
_FRAME_HEAD = 9
_SETTINGS = re.compile(rb".{3}\x04\x00.{4}", re.DOTALL)  # RFC 9113, sections 3.4 and 4.1


class _Decoder(Decoder):
    """Takes few changes of its table's size: a byte each, which may be all of a head."""

    def __init__(self, longest: int) -> None:
        super().__init__(longest)
        self._sizes = 0

    def _update_encoding_context(self, data: bytes | memoryview) -> int:
        self._sizes += 1
        if self._sizes > TABLE_SIZES_AT_MOST:
            raise Failed(Code.L7RSP, f"more than {TABLE_SIZES_AT_MOST} sizes of the header table")
        return super()._update_encoding_context(data)


class Exchange:
    """Bytes in, bytes out. At most `body_at_most` bytes of the answer's body are kept; the rest is read no further."""

    def __init__(self, request: list[Field], body: bytes | None, body_at_most: int) -> None:
        self.answer = FieldsAnswer("HTTP/2")
        self._body_at_most = body_at_most
        self._room = _OVERHEAD + 2 * body_at_most
        self._beginning = b""
        self._frames = Frames()
        self._unsent = body or b""
        self._connection = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._connection.local_settings = Settings(
            client=True,
            initial_values={SettingCodes.ENABLE_PUSH: 0, SettingCodes.MAX_HEADER_LIST_SIZE: HEAD_AT_MOST},
        )
        self._connection.decoder = _Decoder(HEAD_AT_MOST)
        self._connection.initiate_connection()
        self._connection.send_headers(_STREAM, request, end_stream=body is None)
        if body is not None:
            self._send_body()

    def outgoing(self) -> bytes:
        """What is to be sent now."""
        return self._connection.data_to_send()

    def feed(self, data: bytes) -> None:
        """Takes what was received.

        Raises:
            Failed: it is not HTTP/2, more than may be, or the end of the request without an answer.

        """
        self._beginning += data[: 60 - len(self._beginning)]
        self._room -= len(data)
        if len(self._beginning) >= _FRAME_HEAD and not _SETTINGS.match(self._beginning):
            raise Failed(Code.L7RSP, f"not HTTP/2: no SETTINGS come first; {self._begins}")
        try:
            self._frames.feed(data)
            for event in self._connection.receive_data(data):
                self._take(event)
        except Failed as failed:
            raise Failed(Code.L7RSP, self._answered + failed.outcome.detail) from failed
        except H2Error as error:
            raise Failed(Code.L7RSP, f"{self._answered}broken HTTP/2: {_reason(error)}; {self._begins}") from error
        if self._room <= 0 and not self.answer.complete:
            taken = _OVERHEAD + 2 * self._body_at_most
            raise Failed(Code.L7RSP, f"{self._answered}more than {taken} bytes without an end of the answer")
        if self._unsent:
            self._send_body()

    def end_of_stream(self) -> Failed:
        """What is wrong when the server has closed."""
        if not self._beginning:
            return Failed(Code.L7RSP, "connection closed without an answer")
        if not self.answer.status:
            return Failed(Code.L7RSP, f"connection closed before any answer; {self._begins}")
        body = f"connection closed after {len(self.answer.body)} bytes of the body"
        return Failed(Code.L7RSP, self._answered + body)

    @property
    def full(self) -> bool:
        """As much of the body was taken as may be."""
        return len(self.answer.body) >= self._body_at_most

    @property
    def _answered(self) -> str:
        return f"answered {self.answer.status_line}, " if self.answer.status else ""

    @property
    def _begins(self) -> str:
        return f"it begins with {show(self._beginning)}"

    def _take(self, event: Event) -> None:
        answer = self.answer
        match event:
            case ResponseReceived(headers=fields):
                answer.take_head(fields or ())
            case DataReceived(data=data, flow_controlled_length=length):
                answer.body += (data or b"")[: self._body_at_most - len(answer.body)]
                self._connection.acknowledge_received_data(length or 0, _STREAM)
            case InformationalResponseReceived(headers=fields):
                self._frames.take_fields(sum(len(name) + len(value) for name, value in fields or ()))
            case TrailersReceived(headers=fields):
                answer.trailers = [(bytes(name), bytes(value)) for name, value in fields or ()]
            case StreamEnded():
                answer.complete = True
            case StreamReset(error_code=code) if not answer.complete:
                raise Failed(Code.L7RSP, f"the server has reset the stream: {_name(code)}")
            case ConnectionTerminated(error_code=code, last_stream_id=last) if code or not last:
                text = f" {show(event.additional_data)}" if event.additional_data else ""
                raise Failed(Code.L7RSP, f"the server has ended the connection: {_name(code)}{text}")

    def _send_body(self) -> None:
        """As much as the server takes for now (RFC 9113, section 5.2)."""
        connection = self._connection
        while True:
            window = min(connection.local_flow_control_window(_STREAM), connection.max_outbound_frame_size)
            part, self._unsent = self._unsent[:window], self._unsent[window:]
            connection.send_data(_STREAM, part, end_stream=not self._unsent)
            if not self._unsent or window <= 0:
                return


async def carry_out(stream: net.Stream, trace: Trace, exchange: Exchange, *, whole: bool, until: bytes) -> None:
    """Sends the request and reads the answer: its head, or if `whole` all of it, or up to `until`, if not empty.

    Raises:
        Failed: there is no such answer.

    """
    answer = exchange.answer
    while True:
        if outgoing := exchange.outgoing():
            await stream.send(outgoing)
        if answer.complete or exchange.full or (answer.status and not whole) or (until and until in answer.body):
            return
        data = await stream.receive(net.TURN_AFTER)
        if not data:
            raise exchange.end_of_stream()
        if not answer.status:
            trace.enter(Phase.TALK, "reading the answer")
        exchange.feed(data)


def _reason(error: H2Error) -> str:
    return show(str(error) or type(error).__name__, 120).strip('"')


def _name(code: int | None) -> str:
    try:
        return ErrorCodes(code or 0).name
    except ValueError:
        return f"error {code}"
