"""What is wrong in a configuration, each with its place, gathered until all of it can be said at once."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from checkers.base import show
from healthd.config.positions import KeyPath, lines

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class ConfigError(Exception):
    """The configuration cannot be used. `messages` are all reasons, one line each, by file and line."""

    def __init__(self, messages: Iterable[str]) -> None:
        self.messages = tuple(messages)
        super().__init__("\n".join(self.messages))


@dataclass(frozen=True, eq=False)
class Document:
    """One file. `number` is its place among the files; `name` is its path as the user gave it."""

    number: int
    path: Path
    text: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        return str(self.path)

    @functools.cached_property
    def lines(self) -> Mapping[KeyPath, int]:
        return lines(self.text)


@dataclass(frozen=True, slots=True)
class Place:
    """A key in a document; without a path, the line `at` of it, or the whole of it."""

    document: Document
    path: KeyPath = ()
    at: int = 0

    def __truediv__(self, key: str | int) -> Place:
        return Place(self.document, (*self.path, key))

    @property
    def line(self) -> int:
        """The key's line; of one that is not there, the line of what it is missing in; 0 for the whole document."""
        if not self.path:
            return self.at
        known = self.document.lines
        inner = (self.path[:length] for length in range(len(self.path), 0, -1))
        return next((known[path] for path in inner if path in known), self.at)

    @property
    def key(self) -> str:
        """As people write it: `service.web.server[0].weight`."""
        text = ""
        for part in self.path:
            if isinstance(part, int):
                text += f"[{part}]"
            else:
                text += ("." if text else "") + (part if _BARE.fullmatch(part) else show(part))
        return text

    def __str__(self) -> str:
        line = self.line
        return f"{self.document.name}:{line}" if line else self.document.name


@dataclass(frozen=True, slots=True)
class _Finding:
    place: Place
    parts: tuple[str | Place, ...]

    def order(self) -> tuple[int, int]:
        return self.place.document.number, self.place.line

    def __str__(self) -> str:
        key = self.place.key
        text = "".join(c if c.isprintable() else " " for c in "".join(map(str, self.parts)))
        return f"{self.place}: {key}: {text}" if key else f"{self.place}: {text}"


class Findings:
    """Errors and warnings. A text may hold places of other keys: their lines are found only when it is printed."""

    def __init__(self) -> None:
        self._errors: list[_Finding] = []
        self._warnings: list[_Finding] = []

    def error(self, place: Place, *parts: str | Place) -> None:
        self._errors.append(_Finding(place, parts))

    def warn(self, place: Place, *parts: str | Place) -> None:
        self._warnings.append(_Finding(place, parts))

    @property
    def warnings(self) -> tuple[str, ...]:
        return _messages(self._warnings)

    def raise_errors(self) -> None:
        """Ends the loading if there is an error.

        Raises:
            ConfigError: with every error found so far.

        """
        if self._errors:
            raise ConfigError(_messages(self._errors))


def _messages(findings: list[_Finding]) -> tuple[str, ...]:
    """By file and line. What is inherited by many services is wrong once."""
    return tuple(dict.fromkeys(str(finding) for finding in sorted(findings, key=_Finding.order)))
