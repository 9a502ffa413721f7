"""In which line of a TOML text each key stands: what no TOML parser tells once the text is parsed.

The text has to be valid TOML (tomli has parsed it before), which is why so little is enough here: strings, brackets
and separators are told apart, values are passed over. It is done only for files that there is something to say about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import tomli

KeyPath = tuple[str | int, ...]
"""`("service", "web", "server", 0, "weight")`: keys, and indices of array elements."""

_WORD = re.compile(
    r"""
      (?P<string>\"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\])*" | '[^']*')
    | (?P<mark>[\[\]{}=,.\n])
    | (?P<skip>[ \t\r]+ | \#[^\n]*)
    | (?P<bare>[^\s\[\]{}=,.#"']+)
    """,
    re.DOTALL | re.VERBOSE,
)


def lines(text: str) -> Mapping[KeyPath, int]:
    """The line, counted from 1, of every table, key and array element in `text`."""
    walk = _Walk()
    line = 1
    for word in _WORD.finditer(text):
        if word.lastgroup != "skip":
            walk.take(word[0], line)
        line += word[0].count("\n")
    return walk.found


@dataclass(slots=True)
class _Open:
    """An array or inline table whose end is yet to come; `index` counts the elements of an array."""

    path: KeyPath
    index: int | None


class _Walk:
    """Takes one word after another. At any time it is in a header, in a key, or in a value."""

    def __init__(self) -> None:
        self.found: dict[KeyPath, int] = {}
        self._base: KeyPath = ()
        self._last: dict[KeyPath, int] = {}  # the index of the newest element of each array of tables
        self._stack: list[_Open] = []
        self._key: list[str] = []
        self._value: KeyPath | None = None  # what the value that comes next, or is being passed over, belongs to
        self._brackets = 0  # of a header: 0 outside, 1 for a table, 2 for an element of an array of tables

    def take(self, word: str, line: int) -> None:
        if self._brackets:
            self._in_header(word, line)
        elif self._value is not None or self._in_array():
            self._in_value(word, line)
        else:
            self._in_key(word, line)

    def _in_array(self) -> bool:
        return bool(self._stack) and self._stack[-1].index is not None

    def _in_header(self, word: str, line: int) -> None:
        if word == "]":
            self._end_header(line)
        elif word == "[":
            self._brackets = 2
        elif word != ".":
            self._key.append(_decoded(word))

    def _end_header(self, line: int) -> None:
        if not self._key:  # the second bracket of [[...]]; the first has ended the header
            self._brackets = 0
            return
        path: KeyPath = ()
        for part in self._key:
            if path in self._last:
                path += (self._last[path],)
            path += (part,)
            self.found.setdefault(path, line)
        if self._brackets == 2:
            self._last[path] = self._last.get(path, -1) + 1
            path += (self._last[path],)
        else:
            self._brackets = 0
        self.found[path] = line
        self._base, self._key = path, []

    def _in_key(self, word: str, line: int) -> None:
        if word == "[" and not self._stack:
            self._brackets = 1
        elif word == "}":
            self._close()
        elif word == "=":
            path = self._stack[-1].path if self._stack else self._base
            for part in self._key:
                path += (part,)
                self.found.setdefault(path, line)
            self._value, self._key = path, []
        elif word not in {".", "\n", ","}:
            self._key.append(_decoded(word))

    def _in_value(self, word: str, line: int) -> None:
        if self._value is None and word not in {"\n", ",", "]"}:
            self._begin_element(line)
        if word in {"[", "{"} and self._value is not None:
            self._stack.append(_Open(self._value, 0 if word == "[" else None))
            self._value = None
        elif word in {"]", "}"}:
            self._close()
        elif word == ",":
            self._value = None
            if (index := self._stack[-1].index) is not None:
                self._stack[-1].index = index + 1
        elif word == "\n" and not self._in_array():
            self._value = None

    def _begin_element(self, line: int) -> None:
        array = self._stack[-1]
        self._value = (*array.path, array.index or 0)
        self.found[self._value] = line

    def _close(self) -> None:
        """The innermost array or inline table ends, and is the value that was being waited for."""
        self._value = self._stack.pop().path


def _decoded(word: str) -> str:
    if word[0] in "\"'":
        decoded: str = tomli.loads(f"key = {word}")["key"]
        return decoded
    return word
