"""What one answer hands on to the next request: values, and cookies."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from checkers.base import OptionError, show
from checkers.http_answer import HEAD_AT_MOST
from checkers.http_expected import pattern
from checkers.http_judge import Answered
from checkers.json_path import LONGEST_JSON, AbsentError, Json, JsonPath, described, read_json
from checkers.pattern import INLINE_STEPS, Pattern

LONGEST_VALUE = 8192

COOKIES_AT_MOST = 50
LONGEST_COOKIE = 4096  # RFC 6265, section 6.1

_COOKIE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)=([!-:<-~ ]*)")
# A server takes a cookie back by an age of nothing, or by a date that has long gone: in practice that of the epoch.
_TAKEN_BACK = re.compile(
    r";\s*(max-age\s*=\s*(0+|-\d+)\s*(;|$)|expires\s*=[^;]*\b(19[0-9][0-9]|2000)\b)", re.IGNORECASE
)


class CaptureError(LookupError):
    """There is no such value in the answer; the text says what is there instead."""


@dataclass(frozen=True, kw_only=True)
class Capture:
    """A value in an answer: what the first group of `regex` matches, in the body or in `header`; or what is at `json`.

    Without a group it is the whole match, and `header` alone is the field's value.
    """

    regex: str | None = None
    json: str | None = None
    header: str | None = None

    def __post_init__(self) -> None:
        if self.json is not None and (self.regex is not None or self.header is not None):
            raise OptionError("json", "cannot stand beside regex or header: give one of them")
        if self.json is None and self.regex is None and self.header is None:
            raise OptionError("regex", "missing: give regex, json or header, to say where the value is")
        self._path, self._pattern  # noqa: B018 - what cannot be used is refused here

    @functools.cached_property
    def _path(self) -> JsonPath:
        try:
            return JsonPath.parsed("$" if self.json is None else self.json)
        except ValueError as error:
            raise OptionError("json", f'"{self.json}" is no path: {error}') from error

    @functools.cached_property
    def _pattern(self) -> Pattern | None:
        longest = HEAD_AT_MOST if self.header is not None else 1
        return None if self.regex is None else pattern("regex", self.regex, longest)

    @property
    def wants_body(self) -> bool:
        return self.header is None

    def check_length(self, max_body: int) -> None:
        """Raises OptionError if the value cannot be looked for in a body of this length in bounded time."""
        if self.json is not None and max_body > LONGEST_JSON:
            raise OptionError("max_body", f"must be at most {LONGEST_JSON} where JSON is read, not {max_body}")
        if self.regex is not None and self.wants_body:
            pattern("regex", self.regex, max_body)

    def takes_long(self, answer: Answered) -> bool:
        """Whether the value had better be looked for apart."""
        return self._pattern is not None and self._pattern.steps * len(answer.body) > INLINE_STEPS

    def value(self, answer: Answered) -> str:
        """The value in `answer`.

        Raises:
            CaptureError: it is not there.

        """
        found = self._in_json(answer.body) if self.json is not None else self._in_text(answer)
        if len(found) > LONGEST_VALUE:
            raise CaptureError(f"is longer than {LONGEST_VALUE} characters")
        return found

    def _in_json(self, body: bytes | bytearray) -> str:
        try:
            value: Json = self._path.find(read_json(body))
        except AbsentError as error:
            raise CaptureError(f"is not there: JSON {self._path.text}: {error}") from error
        except ValueError as error:
            begins = show(bytes(body[:200]))
            raise CaptureError(f"is not there: the body is no JSON: {error}; it begins with {begins}") from error
        if isinstance(value, str):
            return value
        if value is None or isinstance(value, list | dict):
            raise CaptureError(f"is no text: JSON {self._path.text} is {described(value)}")
        return json.dumps(value)

    def _in_text(self, answer: Answered) -> str:
        text = answer.body.decode("utf-8", "replace")
        if self.header is not None:
            values = answer.values(self.header)
            if not values:
                raise CaptureError(f"is not there: {self.header} is missing")
            text = values[0]
        if self._pattern is None:
            return text
        found = self._pattern.captured(text)
        if found is None:
            where = self.header or "the body"
            raise CaptureError(f"is not there: no match of {show(self._pattern.pattern)} in {where}, {show(text)}")
        return found


class Cookies:
    """The cookies of one host (RFC 6265), for one check: it is over too soon for paths and times to matter."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    def take(self, fields: Iterable[str]) -> None:
        """The values of Set-Cookie fields; one that is none, or too much, is passed over."""
        for text in fields:
            cookie = _COOKIE.match(text)
            if cookie is None or len(cookie[0]) > LONGEST_COOKIE:
                continue
            if _TAKEN_BACK.search(text):
                self._kept.pop(cookie[1], None)
            elif cookie[1] in self._kept or len(self._kept) < COOKIES_AT_MOST:
                self._kept[cookie[1]] = cookie[2].strip()

    def field(self) -> str:
        """The value of the Cookie field; empty where there is none."""
        return "; ".join(f"{name}={value}" for name, value in self._kept.items())
