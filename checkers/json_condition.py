"""What must hold for a value in a JSON text: a path to it, an operator, and what it is compared with."""

from __future__ import annotations

import functools
import itertools
import json
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from checkers.base import OptionError, show
from checkers.json_path import AbsentError, Json, JsonPath, described
from checkers.pattern import Pattern, PatternError

_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MATCHED_AT_MOST = 65536


@dataclass(frozen=True, kw_only=True)
class JsonCondition:
    """What must hold for the value at `path`. Types are told apart: "5", 5 and true are three different values.

    `==` and `!=` compare with a text, a number or a boolean; `<`, `<=`, `>` and `>=` a number with a number, or a text
    with a text by its characters; `contains` looks for a part of a text or an element of an array; `matches` searches
    a text for a regular expression; `exists` asks for any value, or with `value = false` for none. Where there is no
    value at the path, nothing holds but that last.
    """

    path: str
    operator: Literal["==", "!=", "<", "<=", ">", ">=", "contains", "matches", "exists"] = "=="
    value: str | int | float | bool | None = None

    def __post_init__(self) -> None:
        self._path  # noqa: B018 - what cannot be used is refused here
        kind = _type_of(self.value)
        if self.operator == "exists":
            if kind not in ("null", "boolean"):
                raise OptionError("value", "for exists is true, or false for a value that must not be there")
        elif self.value is None:
            raise OptionError("value", f"missing: what the value at {self.path} is compared with")
        elif self.operator in _ORDERS and kind == "boolean":
            raise OptionError("value", f"for {self.operator} must be a number or a text, not {described(self.value)}")
        elif self.operator == "matches":
            self._pattern  # noqa: B018 - likewise

    @functools.cached_property
    def _path(self) -> JsonPath:
        try:
            return JsonPath.parsed(self.path)
        except ValueError as error:
            raise OptionError("path", f'"{self.path}" is no path: {error}') from error

    @functools.cached_property
    def _pattern(self) -> Pattern:
        if not isinstance(self.value, str):
            raise OptionError("value", "for matches must be a regular expression")
        try:
            return Pattern(self.value).within(4 * _MATCHED_AT_MOST)  # a character may take four bytes
        except PatternError as error:
            raise OptionError("value", f'"{self.value}" {error}') from error

    @property
    def steps(self) -> int:
        """For each byte of a text, at worst."""
        return self._pattern.steps if self.operator == "matches" else 0

    def objection(self, value: Json) -> str:
        """Why the condition does not hold for `value`, with what was found and what expected; "" if it holds."""
        try:
            found = self._path.find(value)
        except AbsentError as error:
            absent_is_well = self.operator == "exists" and self.value is False
            return "" if absent_is_well else f"JSON {self.path}: {error}; expected {self.wanted}"
        if self._holds(found):
            return ""
        return f"JSON {self.path} is {described(found)}; expected {self.wanted}"

    @property
    def wanted(self) -> str:
        """The condition for people."""
        if self.operator == "exists":
            return "no value there" if self.value is False else "a value there"
        return f"{self.operator} {show(self.value) if isinstance(self.value, str) else json.dumps(self.value)}"

    def _holds(self, found: Json) -> bool:
        if self.operator == "exists":
            return self.value is not False
        if self.operator == "==":
            return _equal(found, self.value)
        if self.operator == "!=":
            return not _equal(found, self.value)
        if self.operator == "contains":
            return self._contained_in(found)
        if self.operator == "matches":
            return isinstance(found, str) and self._pattern.search(found[:_MATCHED_AT_MOST])
        return _type_of(found) == _type_of(self.value) and _ORDERS[self.operator](found, self.value)

    def _contained_in(self, found: Json) -> bool:
        if isinstance(found, str):
            return isinstance(self.value, str) and self.value in found
        if not isinstance(found, list):
            return False
        # To Python 1, 1.0 and true are equal. An array may have a hundred thousand elements: nothing here is a loop.
        if isinstance(self.value, bool):
            return any(map(operator.is_, found, itertools.repeat(self.value)))
        truths = map(operator.is_, found, itertools.repeat(bool(self.value)))
        return found.count(self.value) > (sum(truths) if self.value in (0, 1) else 0)


def _equal(found: Json, value: Json) -> bool:
    return _type_of(found) == _type_of(value) and found == value


def _type_of(value: Json) -> str:
    """JSON knows one type of number, and no boolean is one."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
    return "object"
