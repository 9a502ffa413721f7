"""One request of several in a row."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from checkers.base import Code, Failed, OptionError
from checkers.http_capture import Capture
from checkers.http_expected import expectation
from checkers.http_judge import Expectation
from checkers.http_request import check_path, fields_of
from checkers.http_template import NAME, Template
from checkers.json_condition import JsonCondition


@dataclass(frozen=True, kw_only=True)
class HttpStep:
    """A request, what is expected of its answer, and what of that is handed on.

    `path`, `body` and the values of `headers` may have places for values: `${name}` as it is, `${name:url}` with all
    but letters and digits percent-encoded, `${name:json}` as within a JSON text.
    """

    weight_header: ClassVar[str | None] = None
    weight_json: ClassVar[str | None] = None

    path: str
    method: Literal["GET", "HEAD", "OPTIONS", "POST", "PUT"] = "GET"
    headers: dict[str, str] = field(default_factory=dict, repr=False, hash=False)
    body: str | None = field(default=None, repr=False)
    status: str = "200-299"
    expect: str | None = None
    expect_regex: str | None = None
    expect_header: dict[str, str] = field(default_factory=dict, hash=False)
    json: tuple[JsonCondition, ...] = ()
    capture: dict[str, Capture] = field(default_factory=dict, hash=False)
    max_body: int = 262144

    def __post_init__(self) -> None:
        begins_with_a_value = self._path.places and not self._path.pieces[0]
        example = self._path.filled(dict.fromkeys(self.names, "x"))
        check_path(f"/{example}" if begins_with_a_value else example)
        fields_of(self.headers, None)
        self.expected  # noqa: B018 - what cannot be used is refused here
        if self.body is not None and self.method not in ("POST", "PUT"):
            raise OptionError("body", f'needs method = "POST" or "PUT": {self.method} sends none')
        for name, capture in self.capture.items():
            if not NAME.fullmatch(name):
                raise OptionError("capture", f'"{name}" is no name: write letters, digits and _')
            capture.check_length(self.max_body)
        looks_at_body = self.expect or self.expect_regex or self.json or self._captures_from_body
        if self.method == "HEAD" and looks_at_body:
            raise OptionError("method", "HEAD has an answer without a body, and something is expected of one")

    @functools.cached_property
    def names(self) -> frozenset[str]:
        """The values that have to be known before."""
        texts = (self._path, self._body, *self._headers.values())
        return frozenset().union(*(template.names for template in texts))

    @functools.cached_property
    def expected(self) -> Expectation:
        return dataclasses.replace(expectation(self), reads_all=self._captures_from_body)

    @property
    def _captures_from_body(self) -> bool:
        return any(capture.wants_body for capture in self.capture.values())

    @functools.cached_property
    def _path(self) -> Template:
        return self._template("path", self.path)

    @functools.cached_property
    def _body(self) -> Template:
        return self._template("body", self.body or "")

    @functools.cached_property
    def _headers(self) -> dict[str, Template]:
        return {name: self._template("headers", value) for name, value in self.headers.items()}

    def _template(self, option: str, text: str) -> Template:
        try:
            return Template.parsed(text)
        except ValueError as error:
            raise OptionError(option, str(error)) from error

    def filled_path(self, values: Mapping[str, str]) -> str:
        """Raises Failed if a value cannot stand in a path."""
        path = self._path.filled(values)
        try:
            check_path(path)
        except OptionError as error:
            names = " or ".join(sorted(self._path.names))
            message = f"what was captured as {names} cannot stand in a path: ${{{names}:url}} would encode it"
            raise Failed(Code.L7RSP, message) from error
        return path

    def filled_body(self, values: Mapping[str, str]) -> bytes | None:
        if self.method not in ("POST", "PUT"):
            return None
        return self._body.filled(values).encode("utf-8", "replace")

    def filled_headers(self, values: Mapping[str, str]) -> dict[str, str]:
        """Raises Failed if a value cannot stand in a header field."""
        filled = {name: template.filled(values) for name, template in self._headers.items()}
        for name, value in filled.items():
            if not value.isprintable():
                message = f"what was captured for {name} holds a line break or other control character"
                raise Failed(Code.L7RSP, message)
        return filled
