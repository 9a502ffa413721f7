"""The terminal of `healthd top`, by curses: draws lines, reads keys, follows the size of the window."""

from __future__ import annotations

import contextlib
import curses
import locale

from healthd.cli.client import Client
from healthd.cli.terminal import has_colours
from healthd.cli.top.feed import Feed
from healthd.cli.top.layout import Line, Size, rows_seen, screen
from healthd.cli.top.sparkline import BLOCKS, PLAIN
from healthd.cli.top.view import View, listed, pressed

MOMENT = 250
"""Milliseconds that a key is waited for before the screen is drawn anew."""

_NAMES = {
    curses.KEY_UP: "up",
    curses.KEY_DOWN: "down",
    curses.KEY_PPAGE: "page up",
    curses.KEY_NPAGE: "page down",
    curses.KEY_HOME: "home",
    curses.KEY_END: "end",
    curses.KEY_ENTER: "enter",
    curses.KEY_BACKSPACE: "backspace",
}
_CHARACTERS = {"\n": "enter", "\r": "enter", "\x1b": "escape", "\x7f": "backspace", "\b": "backspace"}

_COLOURS = {
    "red": curses.COLOR_RED,
    "green": curses.COLOR_GREEN,
    "yellow": curses.COLOR_YELLOW,
    "cyan": curses.COLOR_CYAN,
}


def shown(client: Client, view: View, interval: float) -> None:
    """Until the user ends it.

    Raises:
        Problem: the daemon refuses, or is not there at the beginning.

    """
    feed = Feed(client, interval)
    locale.setlocale(locale.LC_ALL, "")
    feed.start()
    try:
        curses.wrapper(_Screen(feed, view).run)
    finally:
        feed.stop()
    if feed.failed is not None:
        raise feed.failed


class _Screen:
    def __init__(self, feed: Feed, view: View) -> None:
        self._feed = feed
        self._view = view
        self._styles: dict[str, int] = {}

    def run(self, window: curses.window) -> None:
        curses.set_escdelay(25)
        self._prepare()
        window.timeout(MOMENT)
        while not self._view.over and self._feed.failed is None:
            height, width = window.getmaxyx()
            unicode = "utf" in locale.nl_langinfo(locale.CODESET).lower()
            size = Size(width - 1, height, BLOCKS if unicode else PLAIN)
            frame = self._feed.frame
            self._draw(window, screen(self._view, frame, size))
            if (key := _key(window)) is None:
                continue
            servers = listed(self._view, frame.status)
            self._view = pressed(self._view, key, servers, rows_seen(self._view, frame, size))
            position = self._view.chosen or ((servers[0].service, servers[0].name) if servers else None)
            self._feed.wanted = position if self._view.detail else None

    def _prepare(self) -> None:
        with contextlib.suppress(curses.error):  # not every terminal can hide its cursor
            curses.curs_set(0)
        if has_colours() and curses.has_colors():
            curses.use_default_colors()
            for number, (name, colour) in enumerate(_COLOURS.items(), 1):
                curses.init_pair(number, colour, -1)
                self._styles[name] = curses.color_pair(number)
        self._styles |= {"bold": curses.A_BOLD, "dim": curses.A_DIM, "chosen": curses.A_REVERSE}

    def _draw(self, window: curses.window, lines: list[Line]) -> None:
        window.erase()
        for row, line in enumerate(lines):
            style = 0
            for word in line.style.split():
                style |= self._styles.get(word, 0)
            try:
                window.addstr(row, 0, line.text, style)
            except curses.error:
                break  # the window has become smaller meanwhile; the next round knows
        window.refresh()


def _key(window: curses.window) -> str | None:
    """The name of a key, None if none was pressed; the text of a character."""
    try:
        found = window.get_wch()
    except curses.error:
        return None
    if isinstance(found, int):
        return _NAMES.get(found)
    return _CHARACTERS.get(found, found)
