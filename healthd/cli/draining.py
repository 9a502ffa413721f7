"""`healthd drain --wait`: how the connections of drained servers end, from the kernel's counts."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from healthd.cli import answers, output
from healthd.cli.answers import Server, Status
from healthd.cli.client import Client, Unreachable, path_of
from healthd.cli.exits import Exit, Problem
from healthd.cli.selection import matches
from healthd.cli.times import lasting
from healthd.clock import SystemClock

INTERVAL = 1.0
"""Seconds between two looks."""

PATIENCE = 3
"""Looks after which a server that is not drained has been taken back by somebody else."""

AWAY = 60.0
"""Seconds that the daemon may be away meanwhile: it takes drains up again when it has restarted."""

INTERFERED = 1
"""The status when somebody else ended the drain."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a server's drain ended."""

    text: str
    well: bool


def ended(server: Server | None, *, frozen: bool) -> Ended | None:
    """Whether there is nothing more to wait for; a `frozen` table may still send it connections."""
    if server is None:
        return Ended("it is no longer in the configuration", well=True)
    if server.override is None or server.override.admin not in {"drain", "maintenance"}:
        return Ended(f"somebody has ended the drain: it is {server.state}", well=False)
    if server.override.cut:
        return Ended("cut from the table, its time was over", well=True)
    if not frozen and server.weight is None:
        return Ended("it is not in the table", well=True)
    return Ended("no connection left", well=True) if not frozen and server.connections == 0 else None


def counts(server: Server, at: float) -> str:
    """`12 active, 3 inactive, 4 persistent; cut in 4m`."""
    parts = [
        f"{number} {name}"
        for number, name in (
            (server.active, "active"),
            (server.inactive, "inactive"),
            (server.persistent, "persistent"),
        )
        if number is not None
    ]
    until = server.override.until if server.override else None
    return (", ".join(parts) or "not counted yet") + (f"; cut in {lasting(until - at)}" if until is not None else "")


class _Waiting:
    """Tells every change once, on standard error where standard output is for a program."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._looks = 0
        self._drained: set[str] = set()
        self._told: dict[str, str] = {}
        self.ends: dict[str, Ended] = {}

    def look(self, names: Iterable[str], found: dict[str, Server], status: Status) -> None:
        self._looks += 1
        for name in names:
            server = found.get(name)
            if name in self.ends or not self._has_begun(name, server):
                continue
            if end := ended(server, frozen=status.frozen is not None):
                self.ends[name] = end
                self._tell(name, f"{name}: {end.text}", "green" if end.well else "bold yellow")
            elif server is not None:
                self._tell(name, f"{name}: {counts(server, status.at)}", "")

    def _has_begun(self, name: str, server: Server | None) -> bool:
        """The first answers may have been made up just before the act."""
        if server is not None and server.override is not None and server.override.admin != "ready":
            self._drained.add(name)
        return name in self._drained or self._looks > PATIENCE

    def _tell(self, name: str, text: str, style: str) -> None:
        # The time that is left goes on falling; what is new are the counts.
        news = text.partition(";")[0]
        if self._told.get(name) == news:
            return
        self._told[name] = news
        if self._as_json:
            print(text, file=sys.stderr)
        else:
            output.say_folded(text, style)


def waited(client: Client, patterns: Sequence[str], answer: dict[str, Any], *, as_json: bool) -> int:
    """Returns when every server that was meant is empty, cut, or no longer drained.

    Raises:
        Problem: the daemon cannot be asked any more.

    """
    waiting = _Waiting(as_json=as_json)
    try:
        names = _until_all_ended(client, patterns, waiting)
    except KeyboardInterrupt:
        left = " ".join(patterns)
        note = f"The drain goes on without this command; `healthd ready {left}` ends it."
        print(note, file=sys.stderr)
        raise
    if as_json:
        ends = [{"server": name, "ended": waiting.ends[name].text, "well": waiting.ends[name].well} for name in names]
        output.say_json({**answer, "servers": ends})
    return Exit.OK if all(end.well for end in waiting.ends.values()) else INTERFERED


def _until_all_ended(client: Client, patterns: Sequence[str], waiting: _Waiting) -> list[str]:
    pause, clock = threading.Event(), SystemClock()
    names: list[str] = []
    away_since: float | None = None
    while True:
        try:
            status = answers.status(client.get(path_of("status")))
        except Unreachable as error:
            away_since = clock.monotonic() if away_since is None else away_since
            if clock.monotonic() - away_since > AWAY:
                note = "healthd: the drain is kept, and goes on when the daemon is back"
                raise Problem(error.status, *error.messages, note) from error
        else:
            away_since = None
            found = {f"{server.service}/{server.name}": server for server in status.servers}
            names = names or [n for n, server in found.items() if any(matches(p, server) for p in patterns)]
            waiting.look(names, found, status)
            if len(waiting.ends) == len(names):
                return names
        pause.wait(INTERVAL)
