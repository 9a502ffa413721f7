"""Texts of a request with places for values that are known only later: `${name}`, `${name:url}`, `${name:json}`."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")

_PLACE = re.compile(r"\$\{([^}:]*)(?::([^}]*))?\}")
_FORMS: Mapping[str, Callable[[str], str]] = {
    "": lambda value: value,
    "url": lambda value: urllib.parse.quote(value, safe=""),
    "json": lambda value: json.dumps(value)[1:-1],
}


@dataclass(frozen=True, slots=True)
class Template:
    """`pieces` are texts, and between each two of them a place: a name and the form its value is written in."""

    pieces: tuple[str, ...]
    places: tuple[tuple[str, str], ...]

    @classmethod
    def parsed(cls, text: str) -> Template:
        """The template that `text` is; one without places is the text itself.

        Raises:
            ValueError: a place is none; the message says why.

        """
        pieces: list[str] = []
        places: list[tuple[str, str]] = []
        end = 0
        for place in _PLACE.finditer(text):
            name, form = place[1], place[2] or ""
            if not NAME.fullmatch(name) or form not in _FORMS:
                raise ValueError(
                    f"{place[0]} is no place for a value: write ${{name}}, ${{name:url}} or ${{name:json}}"
                )
            pieces.append(text[end : place.start()])
            places.append((name, form))
            end = place.end()
        return cls((*pieces, text[end:]), tuple(places))

    @property
    def names(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.places)

    def filled(self, values: Mapping[str, str]) -> str:
        """The text with a value in each place; all of `names` are among them."""
        parts = [self.pieces[0]]
        for (name, form), piece in zip(self.places, self.pieces[1:], strict=True):
            parts += (_FORMS[form](values[name]), piece)
        return "".join(parts)
