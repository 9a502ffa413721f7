"""What standard output is: how wide, and whether it shows colours. Colour is never the only sign of anything."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

UNBOUNDED = 100_000
"""Characters in a line where there is no terminal: nothing is cut or folded."""

_STYLES = {
    "bold": "1",
    "dim": "2",
    "green": "32",
    "yellow": "33",
    "cyan": "36",
    "bold red": "1;31",
    "bold yellow": "1;33",
    "bold green": "1;32",
}


def is_terminal() -> bool:
    return sys.stdout.isatty()


def width() -> int:
    """Columns of the terminal, of which the last is left free: some fold a line that fills it."""
    if not is_terminal():
        return UNBOUNDED
    return max(40, shutil.get_terminal_size().columns - 1)


def has_colours() -> bool:
    return is_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def painted(text: str, style: str) -> str:
    """The text in a style of `_STYLES`, if the terminal has colours; `text` is safe to print already."""
    if not style or not text or not has_colours():
        return text
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


@dataclass(frozen=True, slots=True)
class Page:
    """What is written on; `repeats` says that every line has to be understood without the one above."""

    width: int
    paint: Callable[[str, str], str]
    repeats: bool = False


def page() -> Page:
    """Standard output. Away from a terminal, lines are searched and sorted."""
    return Page(width(), painted, repeats=not is_terminal())


def cells(text: str) -> int:
    """How many columns the text takes."""
    if text.isascii():
        return len(text)
    return sum(_cells_of(character) for character in text)


def _cells_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
