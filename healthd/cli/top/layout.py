"""The screen as lines of text with a style. Pure: the same for every kind of terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from healthd.cli import columns, picture, show
from healthd.cli.answers import Server
from healthd.cli.columns import Column, Row
from healthd.cli.terminal import Page, cells
from healthd.cli.times import milliseconds
from healthd.cli.top.frame import Frame, Sample, key_of
from healthd.cli.top.sparkline import BLOCKS, bars
from healthd.cli.top.view import KEYS, View, listed, position
from healthd.printable import one_line

TREND = 12
"""Bars in the line of a server."""

MOST_UNUSUAL = 4
"""Lines of what is unusual; `healthd status` has all."""

COLUMNS = (*picture.COLUMNS[:-1], Column("TREND", spare=5), picture.COLUMNS[-1])
"""TREND is the first to be left out where there is no room."""

HINT = "? keys   q end"


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Size:
    width: int
    height: int
    blocks: str = BLOCKS


def rows_seen(view: View, frame: Frame, size: Size) -> int:
    """How many servers there is room for."""
    return max(1, size.height - len(_head(view, frame, size, 0)) - len(_pane(view, frame, size)) - 1)


def screen(view: View, frame: Frame, size: Size) -> list[Line]:
    """At most `size.height` lines of at most `size.width` columns."""
    if view.keys:
        return _cut(_help(size.width), size)
    servers = listed(view, frame.status)
    room, at = rows_seen(view, frame, size), position(view, servers)
    first = max(0, min(at - room // 2, len(servers) - room))
    seen = servers[first : first + room]
    lines = _head(view, frame, size, len(servers)) + _table(seen, frame, size, at - first)
    pane = _pane(view, frame, size)
    lines += [Line("")] * (size.height - len(lines) - len(pane)) if pane else []
    return _cut([*lines, *pane], size)


def _head(view: View, frame: Frame, size: Size, count: int) -> list[Line]:
    status = frame.status
    lines = [Line(picture.headline(status), picture.head_style(status))]
    if frame.gone:
        lines = [Line(f"! {frame.gone}", "bold red"), Line(lines[0].text, "dim")]
    unusual = [Line(f"! {one_line(text)}", "bold yellow") for text in status.unusual]
    more = [Line(f"! and {len(unusual) - MOST_UNUSUAL + 1} more: healthd status", "bold yellow")]
    lines += unusual if len(unusual) <= MOST_UNUSUAL else unusual[: MOST_UNUSUAL - 1] + more
    order = f"by {view.sort}{', backwards' if view.backwards else ''}"
    text = f', with "{one_line(view.pattern)}"' if view.pattern and not view.typing else ""
    only = ", in trouble or held" if view.notable_only else ""
    said = f"/{one_line(view.pattern)}_" if view.typing else f"{picture.counted(count, 'server')} {order}{only}{text}"
    gap = " " * max(3, size.width - cells(said) - len(HINT))
    return [*lines, Line(said + gap + HINT, "cyan")]


def _table(seen: Sequence[Server], frame: Frame, size: Size, bar: int) -> list[Line]:
    at = frame.status.at
    made = [_row(server, at, frame.samples.get(key_of(server), ()), size) for server in seen]
    page = Page(size.width, lambda text, _style: text)
    header, *rows = columns.single(COLUMNS, made, "REASON", page.width)
    styles = [picture.styled(server) if picture.is_notable(server) else "" for server in seen]
    lines = [
        Line(text, f"{style} chosen" if n == bar else style)
        for n, (text, style) in enumerate(zip(rows, styles, strict=True))
    ]
    return [Line(header, "bold"), *lines]


def _row(server: Server, at: float, samples: Sequence[Sample], size: Size) -> Row:
    made = picture.row(server, at)
    service, *more = made.cells
    trend = bars([seconds for _, seconds in samples], TREND, size.blocks)
    return Row((columns.cut(service, max(8, size.width // 6)), *more[:-1], trend, more[-1]), made.note)


def _pane(view: View, frame: Frame, size: Size) -> list[Line]:
    """Everything about the chosen server, in the lower half."""
    servers = listed(view, frame.status) if view.detail else []
    if not servers:
        return []
    server = servers[position(view, servers)]
    styles: dict[str, str] = {}

    def remembered(text: str, style: str) -> str:
        styles[text] = style
        return text

    page = Page(size.width, remembered)
    texts = [*show.server_lines(server, frame.status.at, page), *_latency(server, frame, size)]
    lines = [
        Line(text, next((style for part, style in styles.items() if style and part in text), "")) for text in texts
    ]
    return [Line("-" * size.width, "dim"), *lines[: max(3, size.height // 2)]]


def _latency(server: Server, frame: Frame, size: Size) -> list[str]:
    width = size.width - show.LABEL - 30
    lines = []
    key = key_of(server)
    for label, values in (
        ("latency", [seconds for _, seconds in frame.samples.get(key, ())]),
        ("last hour", list(frame.past) if frame.past_of == key else []),
    ):
        known = [value for value in values if value is not None]
        if known:
            mean = sum(known) / len(known)
            shown = bars(values, min(len(values), width), size.blocks)
            lines.append(f"{label:{show.LABEL}}{shown}  mean {milliseconds(mean)}, at most {milliseconds(max(known))}")
    return lines


def _help(width: int) -> list[Line]:
    lines = [Line("Keys of healthd top", "bold"), Line("")]
    for keys, text in KEYS:
        first, *more = columns.folded(text, width - 16)
        lines += [Line(f"  {keys:14}{first}"), *(Line(" " * 16 + part) for part in more)]
    states = 'STATE "up, 1/3 bad": one failure of the three that take it out. TREND: time of its checks, x failed.'
    return [*lines, Line(""), *map(Line, columns.folded(states, width)), Line("Any key goes back.")]


def _cut(lines: list[Line], size: Size) -> list[Line]:
    return [Line(columns.cut(line.text, size.width), line.style) for line in lines[: size.height]]
