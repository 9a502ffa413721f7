"""A table for people, of plain text: aligned columns, and last a free text that folds and is never cut. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from healthd.cli.terminal import cells
from healthd.printable import one_line

GAP = "  "

ROOM = 34
"""The least width of the free text beside the other columns; with less it goes below its row."""

INDENT = "      "
"""Before a free text below its row."""

Paint = Callable[[str, str], str]
"""A text in a style."""


@dataclass(frozen=True, slots=True)
class Column:
    """`spare` columns are left out where there is no room, the one with the highest number first."""

    title: str
    right: bool = False
    spare: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """`styles` are by column; `note` is the free text. One without cells is a heading of the rows below it."""

    cells: tuple[str, ...]
    note: str = ""
    styles: tuple[tuple[int, str], ...] = ()


def natural(columns: Sequence[Column], rows: Sequence[Row]) -> int:
    """The width of the table without its free text."""
    return sum(_widths(columns, rows)) + len(GAP) * (len(columns) - 1)


def lines(columns: Sequence[Column], rows: Sequence[Row], note: str, width: int, paint: Paint) -> Iterator[str]:
    """The table with its header; `note` is the title of the free text."""
    rows = [Row(tuple(map(one_line, row.cells)), one_line(row.note), row.styles) for row in rows]
    columns, rows = _fitting(columns, rows, width)
    widths = _widths(columns, rows)
    before = sum(widths) + len(GAP) * len(widths)
    beside = width - before
    below = beside < ROOM
    yield paint(_line(Row(tuple(column.title for column in columns)), columns, widths, "" if below else note), "bold")
    for row in rows:
        if not row.cells:
            yield from (paint(part, "bold") for part in folded(row.note, width))
            continue
        first, *more = folded(row.note, width - len(INDENT) if below else beside) or [""]
        yield _line(row, columns, widths, "" if below else first, paint)
        yield from (
            (INDENT + part for part in ([first] if first else []) + more)
            if below
            else (" " * before + part for part in more)
        )


def single(columns: Sequence[Column], rows: Sequence[Row], note: str, width: int) -> Iterator[str]:
    """The table with one line for each row and nothing folded: what does not fit is for `cut`."""
    rows = [Row(tuple(map(one_line, row.cells)), one_line(row.note), row.styles) for row in rows]
    columns, rows = _fitting(columns, rows, width)
    widths = _widths(columns, rows)
    yield _line(Row(tuple(column.title for column in columns)), columns, widths, note)
    yield from (_line(row, columns, widths, row.note) for row in rows)


def cut(text: str, width: int) -> str:
    """At most `width` columns of it."""
    if cells(text) <= width:
        return text
    while cells(text) > width - 3:
        text = text[:-1] if len(text) < width * 2 else text[: width * 2 - 1]
    return text + "..."


def _widths(columns: Sequence[Column], rows: Sequence[Row]) -> list[int]:
    full = [row.cells for row in rows if row.cells]
    return [max(cells(column.title), *(cells(row[n]) for row in full), 0) for n, column in enumerate(columns)]


def _fitting(columns: Sequence[Column], rows: list[Row], width: int) -> tuple[list[Column], list[Row]]:
    """Without as many of the spare columns as there is no room for."""
    kept = list(range(len(columns)))
    for out in sorted((n for n in kept if columns[n].spare), key=lambda n: -columns[n].spare):
        if natural([columns[n] for n in kept], [only(row, kept) for row in rows]) <= width:
            break
        kept.remove(out)
    return [columns[n] for n in kept], [only(row, kept) for row in rows]


def only(row: Row, kept: Sequence[int]) -> Row:
    """The row with those of its columns."""
    if not row.cells:
        return row
    styles = tuple((kept.index(n), style) for n, style in row.styles if n in kept)
    return Row(tuple(row.cells[n] for n in kept), row.note, styles)


def _unpainted(text: str, _style: str) -> str:
    return text


def _line(row: Row, columns: Sequence[Column], widths: Sequence[int], note: str, paint: Paint = _unpainted) -> str:
    styles = dict(row.styles)
    parts = []
    for n, (text, column) in enumerate(zip(row.cells, columns, strict=True)):
        blank = " " * (widths[n] - cells(text))
        shown = paint(text, styles.get(n, ""))
        parts.append(blank + shown if column.right else shown + blank)
    return GAP.join([*parts, note]).rstrip()


def folded(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` characters; a word that is longer is broken."""
    return textwrap.wrap(text, max(width, 10), break_on_hyphens=False)
