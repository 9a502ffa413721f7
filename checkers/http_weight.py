"""The weight that a server asks for in its answer: in a header field, or in a JSON body.

`20` is a weight, `50%` a share of the configured one, each clamped to what the kernel takes. Anything else is passed
over, and the outcome's detail says so: the server has answered as expected, and that it cannot spell is no reason to
take it out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from checkers.base import Code, OptionError, Outcome, passed, show
from checkers.json_path import AbsentError, Json, JsonPath, described
from checkers.outcome import LARGEST_WEIGHT

_WISH = re.compile(r"[ \t]*([0-9]{1,9})(\.[0-9]{1,9})?[ \t]*(%?)[ \t]*", re.ASCII)
_FIELD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token of RFC 9110, section 5.6.2


@dataclass(frozen=True, slots=True)
class HeaderWeight:
    """In the first header field of that name."""

    name: str

    @classmethod
    def named(cls, name: str) -> HeaderWeight:
        if not _FIELD.fullmatch(name):
            raise OptionError("weight_header", f'"{name}" is no name of a header field')
        return cls(name)

    def outcome(self, values: Sequence[str], answered: str) -> Outcome:
        if not values:
            return passed(Code.L7OK, f"{answered}, {self.name} is missing: no weight taken")
        return _wished(values[0], f"{answered}, {self.name} is {show(values[0])}")


@dataclass(frozen=True, slots=True)
class JsonWeight:
    """In the value at a path in a JSON body: a number, or a text such as "50%"."""

    path: JsonPath

    @classmethod
    def at(cls, path: str) -> JsonWeight:
        try:
            return cls(JsonPath.parsed(path))
        except ValueError as error:
            raise OptionError("weight_json", f'"{path}" is no path: {error}') from error

    def outcome(self, value: Json, answered: str) -> Outcome:
        try:
            found = self.path.find(value)
        except AbsentError as error:
            return passed(Code.L7OK, f"{answered}, JSON {self.path.text}: {error}; no weight taken")
        text = str(found) if isinstance(found, int | float | str) and not isinstance(found, bool) else ""
        return _wished(text, f"{answered}, JSON {self.path.text} is {described(found)}")


def _wished(text: str, detail: str) -> Outcome:
    """A pass with the wish that `text` is, if it is one."""
    wish = _WISH.fullmatch(text)
    if wish is None or (wish[2] and float(wish[2]) and not wish[3]):
        return passed(Code.L7OK, f"{detail}: neither a weight nor a percentage, so no weight taken")
    if wish[3]:
        return passed(Code.L7OK, detail, factor=min(float(wish[1] + (wish[2] or "")) / 100, float(LARGEST_WEIGHT)))
    return passed(Code.L7OK, detail, weight=min(int(wish[1]), LARGEST_WEIGHT))
