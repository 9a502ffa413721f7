"""Reading one HTTP/1.1 answer from a server that may send anything. Framing is llhttp's work, in its strict mode."""

import contextlib
import functools

import httptools

from checkers import net
from checkers.base import Code, Failed, Phase, Trace, show

HEAD_AT_MOST = 16384
"""Bytes of the status line and all header fields, those of 1xx answers before it included."""

_SWITCHING_PROTOCOLS = 101
_TALK = Phase.TALK  # looking up a member of an enum costs as much as a call


class Answer:
    """An answer as it arrives: `status` and `values` stand once `head_complete`, `body` is what was read of it.

    The methods `on_*` are called by the parser. Header fields are not among them: few checks want one, see `values`.
    """

    __slots__ = (
        "_body_at_most",
        "_fields",
        "_parser",
        "beginning",
        "body",
        "broken",
        "complete",
        "head_complete",
        "reason",
        "received",
        "status",
        "version",
    )

    def __init__(self, body_at_most: int) -> None:
        self.status = 0
        self.version = ""
        self.reason = b""
        self.body = bytearray()
        self.head_complete = False
        self.complete = False
        self.received = 0
        self.beginning = b""  # all that came up to the end of the head, and with it
        self.broken = ""
        self._fields: list[tuple[bytes, bytes]] | None = None
        self._body_at_most = body_at_most
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)

    @property
    def status_line(self) -> str:
        return _status_line(self.version, self.status, self.reason)

    @property
    def room(self) -> int:
        """How many bytes may still be received: of the head until it is complete, then of the body with its framing."""
        if not self.head_complete:
            return HEAD_AT_MOST - self.received
        return HEAD_AT_MOST + self._body_at_most - self.received if len(self.body) < self._body_at_most else 0

    def values(self, name: str) -> list[str]:
        """The values of the header fields of that name, whose case does not matter."""
        if self._fields is None:
            self._fields = _fields_in(self.beginning)
        wanted = name.lower().encode()
        return [value.decode("utf-8", "backslashreplace") for field, value in self._fields if field.lower() == wanted]

    def feed(self, data: bytes) -> None:
        """Takes what was received. What is wrong with it is then in `broken`."""
        self.received += len(data)
        if not self.head_complete:
            self.beginning += data
        if self._parser is None or self.broken:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # a complete 101: what follows is another protocol
        except httptools.HttpParserError as error:
            self.broken = str(error)

    def end_of_stream(self) -> None:
        """The server has closed. What is missing is then in `broken`."""
        if self.complete:
            return
        if length := self.values("Content-Length"):
            self.broken = f"cut short: connection closed after {len(self.body)} of {length[0]} bytes"
        elif "chunked" in "".join(self.values("Transfer-Encoding")).lower():
            self.broken = "cut short: connection closed before the last chunk"
        else:
            self.complete = True  # RFC 9112, section 6.3, rule 8: the end of the stream ends the body

    def let_go(self) -> None:
        """Nothing more is fed. Parser and answer refer to each other: this spares the garbage collector the pair."""
        self._parser = None

    def on_status(self, part: bytes) -> None:
        if not self.head_complete:
            self.reason += part

    def on_headers_complete(self) -> None:
        if self.head_complete or self._parser is None:
            return
        status = self._parser.get_status_code()
        if _is_interim(status):
            self.reason = b""
            return
        self.status = status
        self.version = self._parser.get_http_version()
        self.head_complete = True

    def on_body(self, part: bytes) -> None:
        if not self.complete:
            self.body += part[: self._body_at_most - len(self.body)]

    def on_message_complete(self) -> None:
        self.complete = self.head_complete


class _Fields:
    """Collects the header fields of the answer in `head`, as its parser sees them."""

    def __init__(self, head: bytes) -> None:
        self.found: list[tuple[bytes, bytes]] = []
        self._complete = False
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        # What is wrong after the head, or that 101 ends it, is not what is asked here.
        with contextlib.suppress(httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._parser.feed_data(head)
        self._parser = None

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._complete:  # afterwards it is a trailer, or another answer that nobody asked for
            self.found.append((name, value))

    def on_headers_complete(self) -> None:
        if self._complete or self._parser is None:
            return
        if _is_interim(self._parser.get_status_code()):
            self.found.clear()
        else:
            self._complete = True


def _fields_in(head: bytes) -> list[tuple[bytes, bytes]]:
    return _Fields(head).found


@functools.lru_cache(maxsize=32)  # nearly all answers have one of a few
def _status_line(version: str, status: int, reason: bytes) -> str:
    return show(f"HTTP/{version} {status} ".encode() + reason)


def _is_interim(status: int) -> bool:
    """Whether the real answer is still to follow."""
    return 100 <= status < 200 and status != _SWITCHING_PROTOCOLS


async def read_head(stream: net.Stream, trace: Trace, answer: Answer) -> None:
    """Reads until the status and the header fields are known.

    Raises:
        Failed: no answer, not HTTP, or a head that is too long.

    """
    while not answer.head_complete:
        if answer.broken:
            raise Failed(Code.L7RSP, f"not an HTTP answer: {answer.broken}; it begins with {show(answer.beginning)}")
        if not answer.room:
            message = f"header longer than {HEAD_AT_MOST} bytes; the answer begins with {show(answer.beginning)}"
            raise Failed(Code.L7RSP, message)
        data = await stream.receive(answer.room)
        if not data and not answer.received:
            raise Failed(Code.L7RSP, "connection closed without an answer")
        if not data:
            raise Failed(Code.L7RSP, f"connection closed in the middle of the header: {show(answer.beginning)}")
        if not answer.received:
            trace.enter(_TALK, "reading the header of the answer")
        answer.feed(data)
    if not answer.beginning[:100].lstrip().startswith(b"HTTP/"):  # llhttp also takes RTSP/ and ICE/
        raise Failed(Code.L7RSP, f"not an HTTP answer: it begins with {show(answer.beginning)}")


async def read_body(stream: net.Stream, trace: Trace, answer: Answer, until: bytes) -> None:
    """Reads until the body is complete, or as much was read as may be, or `until`, if not empty, stands in it.

    Raises:
        Failed: the body is broken or cut short.

    """
    searched = 0
    told = False
    while not (until and answer.body.find(until, searched) >= 0) and not answer.complete:
        searched = max(0, len(answer.body) - len(until))
        if answer.broken:
            raise Failed(Code.L7RSP, f"answered {answer.status_line}, the body is broken: {answer.broken}")
        if answer.room <= 0:
            return
        if not told:
            trace.enter(Phase.TALK, f"reading the body after {answer.status_line}")
            told = True
        data = await stream.receive(min(net.RECEIVE_AT_MOST, answer.room))
        if data:
            answer.feed(data)
        else:
            answer.end_of_stream()
