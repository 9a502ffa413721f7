"""What commands print: plain lines, aligned tables, JSON. Colour only on a terminal, and not with NO_COLOR."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from healthd.cli import columns, terminal
from healthd.cli.exits import ReaderGone
from healthd.printable import one_line

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {
    "up": "green",
    "pass": "green",
    "down": "bold red",
    "fail": "bold red",
    "unknown": "yellow",
}
"""The colour of words that say how something is. The word is always there too."""

UNBOUNDED = 100_000
"""Characters in a line where there is no terminal: nothing is cut or folded."""


def say(text: str = "", style: str = "") -> None:
    """One line, or several, with nothing unprintable in them.

    Raises:
        ReaderGone: nobody reads any more.

    """
    lines = "\n".join(one_line(line) for line in text.split("\n"))
    _write(_rendered_line(lines, style) if style else lines)


def say_plain(text: str) -> None:
    """Text that is safe to print already: its parts went through `one_line`, and what is left are its colours."""
    _write(text)


def say_folded(text: str, style: str = "") -> None:
    """A paragraph, folded under itself where a terminal would break it in the middle of a word."""
    first, *more = columns.folded(one_line(text), terminal.width() - 2) or [""]
    _write("\n  ".join(terminal.painted(part, style) for part in (first, *more)))


def say_json(value: Any) -> None:
    _write(json.dumps(value, indent=2))


def say_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Aligned columns. A cell that is a word of `STYLES` has its colour; a terminal's width folds, never cuts."""
    from rich.table import Table  # noqa: PLC0415 - not before there is something to show
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line(cell), style=STYLES.get(cell, "")) for cell in row))
    console = _console()
    with console.capture() as captured:
        console.print(table)
    _write("\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n")))


def _rendered_line(text: str, style: str) -> str:
    from rich.text import Text  # noqa: PLC0415 - see above

    console = _console()
    with console.capture() as captured:
        console.print(Text(text, style=style), soft_wrap=True)
    return captured.get().removesuffix("\n")


@cache
def _console() -> Console:
    from rich.console import Console  # noqa: PLC0415 - see above

    console = Console(markup=False, highlight=False, emoji=False)
    return console if console.is_terminal else Console(markup=False, highlight=False, emoji=False, width=UNBOUNDED)


def _write(text: str) -> None:
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise ReaderGone from error
