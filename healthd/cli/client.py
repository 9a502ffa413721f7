"""Asks the daemon: HTTP over its socket, or over TCP. Every answer is bounded in size and in time.

The daemon may be of another version, hang, or be somebody else altogether: whatever it does ends in an answer that
is JSON or in a `Problem` that says what to do.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import quote, urlencode

from healthd import __version__
from healthd.cli.complaints import Answered, Unreachable, unreachable
from healthd.cli.exits import Exit
from healthd.cli.locate import Place, connected
from healthd.clock import SystemClock

MOST = 64 << 20
"""Bytes of an answer; ten thousand servers take a tenth of that."""

LONGEST_LINE = 1 << 20
"""Bytes of one event."""

CHUNK = 1 << 16

PATIENCE = 15.0
"""Seconds for a whole answer."""

SILENCE = 45.0
"""Seconds without a sign of life in a stream: three of the daemon's."""

Query = Mapping[str, str | int | float | None]


class _Connection(http.client.HTTPConnection):
    """HTTP to a place, which http.client knows only as a host."""

    def __init__(self, place: Place, seconds: float) -> None:
        super().__init__(place.host or "localhost", place.port or 80, timeout=seconds)
        self._place = place
        self._seconds = seconds

    def connect(self) -> None:
        self.sock = connected(self._place, self._seconds)
        if self._place.tls:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self._place.host)


class Client:
    """One question is one connection. `patience` are the seconds that a whole answer may take."""

    def __init__(self, place: Place, patience: float = PATIENCE) -> None:
        self.place = place
        self._patience = patience
        self._clock = SystemClock()

    def get(self, path: str, query: Query | None = None) -> Any:
        """The JSON that is found there.

        Raises:
            Unreachable: nobody answers.
            Answered: the daemon says that it cannot or may not.

        """
        return self._asked("GET", _target(path, query), None)

    def post(self, path: str, content: Mapping[str, Any], patience: float | None = None) -> Any:
        """What has become of an act; raises as `get` does."""
        body = json.dumps({key: value for key, value in content.items() if value is not None})
        return self._asked("POST", path, body.encode(), patience)

    def follow(
        self, path: str, query: Query, headers: Mapping[str, str]
    ) -> Generator[dict[str, Any] | None, None, None]:
        """One object for each line of a stream; raises as `get` does.

        None comes when the stream has begun, from when on nothing is missed, and for a sign of life.
        """
        wanted = {"Accept": "application/x-ndjson", **headers}
        with self._response(SILENCE, "GET", _target(path, query), None, wanted) as response:
            if response.status != http.client.OK:
                raise _answered(response.status, self._body(response, self._patience))
            yield None
            while line := response.readline(LONGEST_LINE):
                if len(line) == LONGEST_LINE:
                    raise Answered(Exit.DAEMON_FAILED, 200, (f"{self.place} sent a line without an end",))
                yield _event(line)

    def _asked(self, method: str, target: str, body: bytes | None, patience: float | None = None) -> Any:
        patience = patience or self._patience
        with self._response(patience, method, target, body, {"Accept": "application/json"}) as response:
            content = self._body(response, patience)
        if not http.client.OK <= response.status < http.client.MULTIPLE_CHOICES:
            raise _answered(response.status, content)
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            text = f"{self.place} answers, but not as healthd {__version__} does: {content[:60]!r}"
            raise Answered(Exit.DAEMON_FAILED, response.status, (text,)) from error

    @contextmanager
    def _response(
        self, seconds: float, method: str, target: str, body: bytes | None, headers: dict[str, str]
    ) -> Iterator[http.client.HTTPResponse]:
        """The head of an answer has come; whatever the connection ends in, also while inside, is a `Problem`."""
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self.place.token:
            headers["Authorization"] = f"Bearer {self.place.token}"
        with closing(_Connection(self.place, seconds)) as connection:
            try:
                connection.request(method, target, body, headers)
                with connection.getresponse() as response:
                    yield response
            except (OSError, http.client.HTTPException) as error:
                raise unreachable(self.place, error, seconds) from error

    def _body(self, response: http.client.HTTPResponse, patience: float) -> bytes:
        """All of it, while it keeps within its bounds.

        Raises:
            TimeoutError: it took too long.
            IncompleteRead: it ended too soon.

        """
        end = self._clock.monotonic() + patience
        parts: list[bytes] = []
        size = 0
        while part := response.read1(CHUNK):
            parts.append(part)
            size += len(part)
            if size > MOST:
                raise Answered(Exit.DAEMON_FAILED, response.status, (f"{self.place} sent more than {MOST} bytes",))
            if self._clock.monotonic() > end:
                raise TimeoutError
        if response.length:  # http.client does not mind when it reads piece by piece
            raise http.client.IncompleteRead(b"", response.length)
        return b"".join(parts)


def _target(path: str, query: Query | None) -> str:
    given = {key: value for key, value in (query or {}).items() if value not in {None, ""}}
    return f"{path}?{urlencode(given)}" if given else path


def path_of(*parts: str) -> str:
    """`/api/v1/services/web`, with every part quoted."""
    return "/api/v1/" + "/".join(quote(part, safe="") for part in parts)


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line) if line.strip() else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


_STATUS = {
    400: Exit.USAGE,
    401: Exit.NOT_PERMITTED,
    403: Exit.NOT_PERMITTED,
    404: Exit.NO_MATCH,
    409: Exit.LOCKED,
    429: Exit.LOCKED,
}


def _answered(status: int, content: bytes) -> Answered:
    """The daemon's refusal, in its own words where it has any."""
    try:
        messages = json.loads(content)["error"]["messages"]
        texts = tuple(str(message) for message in messages)
    except (ValueError, RecursionError, KeyError, TypeError):
        texts = ()
    known = Exit.USAGE if status == http.client.UNPROCESSABLE_ENTITY else _STATUS.get(status, Exit.DAEMON_FAILED)
    if known is Exit.NO_MATCH and not texts:
        texts = ("the daemon does not know this request: is it of an older version?",)
        known = Exit.DAEMON_FAILED
    return Answered(known, status, texts or (f"the daemon answered with HTTP status {status}",))


__all__ = ["Answered", "Client", "Unreachable", "path_of"]
