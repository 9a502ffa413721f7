"""Requests and answers as HTTP/2 and HTTP/3 have them: nothing but fields, and a body."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from checkers.base import Code, Failed, OptionError, show
from checkers.http_request import Fields, Question

Field = tuple[bytes, bytes]

# RFC 9113, section 8.2.2, and RFC 9114, section 4.2
_OF_CONNECTIONS = frozenset({"keep-alive", "proxy-connection", "te", "upgrade"})
_STATUS = re.compile(rb"[1-9][0-9][0-9]")


class FieldsAnswer:
    """See `checkers.http_judge.Answered`. `trailers` are the fields after the body."""

    __slots__ = ("_version", "body", "complete", "fields", "status", "trailers")

    def __init__(self, version: str) -> None:
        self._version = version
        self.status = 0
        self.fields: list[Field] = []
        self.trailers: list[Field] = []
        self.body = bytearray()
        self.complete = False

    @property
    def status_line(self) -> str:
        return show(f"{self._version} {self.status}")

    def values(self, name: str) -> list[str]:
        """The values of the header fields and trailers of that name, whose case does not matter."""
        wanted = name.lower().encode()
        found = (value for field, value in (*self.fields, *self.trailers) if field.lower() == wanted)
        return [value.decode("utf-8", "backslashreplace") for value in found]

    def take_head(self, fields: Iterable[Field]) -> None:
        """The fields of a head; those of an interim answer are passed over.

        Raises:
            Failed: they begin with no status.

        """
        (name, status), *rest = [(bytes(name), bytes(value)) for name, value in fields] or [(b"", b"")]
        if name != b":status" or not _STATUS.fullmatch(status):
            raise Failed(Code.L7RSP, f"broken {self._version}: the status is {show(status)}")
        if not status.startswith(b"1"):
            self.status, self.fields = int(status), rest


def refuse_idle_fields(headers: Mapping[str, str]) -> None:
    """Raises OptionError for a header field that is about a connection of HTTP/1.1."""
    for name in headers:
        if name.lower() in _OF_CONNECTIONS:
            raise OptionError("headers", f"{name} may not be sent over HTTP/2 and HTTP/3")


@dataclass(frozen=True, slots=True)
class RequestFields:
    """The user's fields, and healthd's own. `credentials` go only to the host that they were given for."""

    open: tuple[Field, ...]
    credentials: tuple[Field, ...]

    @classmethod
    def of(cls, fields: Fields) -> RequestFields:
        return cls(tuple(fields_of_lines(fields.open)), tuple(fields_of_lines(fields.credentials)))

    def request(self, question: Question, body: bytes | None, *, credentials: bool) -> list[Field]:
        request = request_of(question.method, question.scheme, question.host, question.path)
        request += self.open
        if credentials:
            request += self.credentials
        if body is not None:
            request.append((b"content-length", b"%d" % len(body)))
        return request


def request_of(method: str, scheme: str, host: str, path: str) -> list[Field]:
    """The fields that every request begins with (RFC 9113, section 8.3.1)."""
    values = {b":method": method, b":scheme": scheme, b":authority": host, b":path": path}
    return [(name, value.encode()) for name, value in values.items()]


def fields_of_lines(lines: bytes) -> list[Field]:
    """Header fields as HTTP/1.1 writes them, for the later versions, where names are in small letters."""
    pairs = (line.split(b": ", 1) for line in lines.split(b"\r\n") if line)
    return [(name.lower(), value) for name, value in pairs]
