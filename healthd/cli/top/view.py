"""What the user has chosen to see, and what each key changes of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from healthd.cli import picture
from healthd.cli.answers import Server, Status
from healthd.cli.top.frame import Key, key_of

SORTS = ("trouble", "service", "latency", "connections", "since")

_GRAVITY = ("down", "unknown", "up", "drain", "maintenance")


@dataclass(frozen=True, slots=True)
class View:
    """`chosen` is the server under the bar; `typing` is true while the text of the filter is written."""

    sort: str = SORTS[0]
    backwards: bool = False
    pattern: str = ""
    typing: bool = False
    notable_only: bool = False
    chosen: Key | None = None
    detail: bool = False
    keys: bool = False
    over: bool = False


def listed(view: View, status: Status) -> list[Server]:
    """The servers that are to be seen, in their order."""
    found = [server for server in status.servers if _wanted(view, server, status.at)]
    order = _ORDER.get(view.sort)
    if order is not None:
        found.sort(key=order)
    return found[::-1] if view.backwards else found


def _wanted(view: View, server: Server, at: float) -> bool:
    if view.notable_only and not picture.is_notable(server):
        return False
    line = f"{server.service}/{server.name} {picture.state(server, at)} {server.reason}"
    return view.pattern.lower() in line.lower()


def _trouble(server: Server) -> tuple[int, bool, float]:
    """The gravest first, then those that begin to fail, then the newest."""
    gravity = _GRAVITY.index(server.state) if server.state in _GRAVITY else 0
    calm = not picture.is_notable(server)
    return gravity, calm, -server.so_since


def _latency(server: Server) -> float:
    check = server.deciding
    return -check.last.seconds if check is not None and check.last is not None else 1.0


def _connections(server: Server) -> int:
    return -(server.active or 0)


def _since(server: Server) -> float:
    return -server.so_since


_ORDER: Mapping[str, Callable[[Server], Any]] = {
    "trouble": _trouble,
    "latency": _latency,
    "connections": _connections,
    "since": _since,
}
"""By name; "service" is the order of the configuration."""


def pressed(view: View, key: str, servers: Sequence[Server], page: int) -> View:
    """The view after a key, with `servers` as they were listed, of which `page` are seen."""
    if view.typing:
        return _typed(view, key)
    if view.keys:
        return replace(view, keys=False, over=key == "q")
    if key in _MOVES:
        return _moved(view, _MOVES[key](page, len(servers)), servers)
    change = _CHANGES.get(key)
    return view if change is None else change(view)


def _typed(view: View, key: str) -> View:
    if key in {"enter", "escape"}:
        return replace(view, typing=False, pattern=view.pattern if key == "enter" else "")
    if key == "backspace":
        return replace(view, pattern=view.pattern[:-1])
    return replace(view, pattern=view.pattern + key) if len(key) == 1 and key.isprintable() else view


def _sorted_by(view: View, step: int) -> View:
    return replace(view, sort=SORTS[(SORTS.index(view.sort) + step) % len(SORTS)])


def _closed(view: View) -> View:
    """What was opened last: the pane, then the filters."""
    return replace(view, detail=False) if view.detail else replace(view, pattern="", notable_only=False)


_CHANGES: Mapping[str, Callable[[View], View]] = {
    "q": lambda view: replace(view, over=True),
    "s": lambda view: _sorted_by(view, 1),
    "S": lambda view: _sorted_by(view, -1),
    "r": lambda view: replace(view, backwards=not view.backwards),
    "/": lambda view: replace(view, typing=True, pattern=""),
    "t": lambda view: replace(view, notable_only=not view.notable_only),
    "enter": lambda view: replace(view, detail=not view.detail),
    "escape": _closed,
    "?": lambda view: replace(view, keys=True),
    "h": lambda view: replace(view, keys=True),
}

_MOVES: Mapping[str, Callable[[int, int], int]] = {
    "up": lambda _page, _count: -1,
    "k": lambda _page, _count: -1,
    "down": lambda _page, _count: 1,
    "j": lambda _page, _count: 1,
    "page up": lambda page, _count: -page,
    "page down": lambda page, _count: page,
    "home": lambda _page, count: -count,
    "end": lambda _page, count: count,
}

KEYS = (
    ("up down j k", "choose a server; Page Up, Page Down, Home, End go further"),
    ("Enter", "everything about it, or not any more"),
    ("s S", f"sort by {', '.join(SORTS)}"),
    ("r", "turn the order round"),
    ("/", "only lines with a text: type it, Enter keeps it, Escape drops it"),
    ("t", "only servers that are in trouble or held"),
    ("Escape", "close what is open, then show all again"),
    ("q", "end"),
)


def position(view: View, servers: Sequence[Server]) -> int:
    """Where the bar is; on the first one when its server is no longer listed."""
    keys = [key_of(server) for server in servers]
    return keys.index(view.chosen) if view.chosen in keys else 0


def _moved(view: View, step: int, servers: Sequence[Server]) -> View:
    if not servers:
        return view
    there = max(0, min(len(servers) - 1, position(view, servers) + step))
    return replace(view, chosen=key_of(servers[there]))
