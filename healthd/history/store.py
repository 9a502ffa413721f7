"""What is written into the file and taken out of it again. Synchronous: it is called from one thread of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from healthd.history.schema import opened, transaction
from healthd.tally import Latency

MINUTE, HOUR, DAY = 60, 3600, 86400
STEPS = (MINUTE, HOUR, DAY)

IN_ONE_GO = 1000
"""Rows in one transaction, or taken out in one: nobody who reads has to wait long for it."""

_ADD_LATENCY = """
INSERT INTO latency (step, at, series, outcomes, fails, total, longest) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (series, step, at) DO UPDATE SET outcomes = outcomes + excluded.outcomes, fails = fails + excluded.fails,
    total = total + excluded.total, longest = max(longest, excluded.longest)
"""


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many seconds each is kept, and how many bytes the file may have; what is older goes first."""

    events: float
    minutes: float
    hours: float
    days: float
    size: int


Row = tuple[float, str, str, str, str]
"""An event: its time, kind, service, server, and the whole of it as JSON."""


class Store:
    """Raises `sqlite3.Error` from every method, and `OtherVersion` when it is made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = opened(path)
        self._series: dict[tuple[str, str, str], int] = {}

    def close(self) -> None:
        self._connection.close()

    @property
    def size(self) -> int:
        """Bytes of the file, without those that are free in it."""
        pages, free, each = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * each)

    def add_events(self, rows: Iterable[Row]) -> None:
        with transaction(self._connection):
            self._connection.executemany(
                "INSERT INTO event (at, kind, service, server, record) VALUES (?, ?, ?, ?, ?)", rows
            )

    def add_latencies(self, at: float, latencies: Sequence[Latency]) -> None:
        """Adds what was measured up to `at` to its minute, its hour and its day."""
        for start in range(0, len(latencies), IN_ONE_GO):
            with transaction(self._connection):
                rows = [
                    (
                        step,
                        int(at) // step * step,
                        self._number(each),
                        each.outcomes,
                        each.fails,
                        each.total,
                        each.longest,
                    )
                    for each in latencies[start : start + IN_ONE_GO]
                    for step in STEPS
                ]
                self._connection.executemany(_ADD_LATENCY, rows)

    def _number(self, latency: Latency) -> int:
        name = (latency.service, latency.server, latency.check)
        if name not in self._series:
            self._connection.execute("INSERT OR IGNORE INTO series (service, server, name) VALUES (?, ?, ?)", name)
            found = self._connection.execute(
                "SELECT id FROM series WHERE service = ? AND server = ? AND name = ?", name
            ).fetchone()
            self._series[name] = found[0]
        return self._series[name]

    def prune(self, now: float, keep: Retention) -> None:
        """Takes out what is too old, and of what is too much the oldest, the finest latencies first."""
        self._forget("event", "at < ?", now - keep.events)
        for step, seconds in zip(STEPS, (keep.minutes, keep.hours, keep.days), strict=True):
            self._forget("latency", f"step = {step} AND at < ?", now - seconds)
        while self.size > keep.size and self._forget_some():
            pass
        self._connection.execute("PRAGMA incremental_vacuum")
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _forget(self, table: str, where: str, before: float) -> None:
        key = "id" if table == "event" else "(series, step, at)"
        columns = key.strip("()")
        while True:
            done = self._connection.execute(
                f"DELETE FROM {table} WHERE {key} IN (SELECT {columns} FROM {table} WHERE {where} LIMIT {IN_ONE_GO})",  # noqa: S608 - nothing in it comes from outside
                (before,),
            )
            if done.rowcount < IN_ONE_GO:
                return

    def _forget_some(self) -> bool:
        """Takes out the oldest of the finest latencies that there are, or the oldest events; False if none is left."""
        for step in STEPS:
            oldest = self._connection.execute("SELECT min(at) FROM latency WHERE step = ?", (step,)).fetchone()[0]
            if oldest is not None and step != DAY:
                self._forget("latency", f"step = {step} AND at <= ?", oldest)
                return True
        done = self._connection.execute(
            "DELETE FROM event WHERE id IN (SELECT id FROM event ORDER BY id LIMIT ?)", (IN_ONE_GO,)
        )
        return done.rowcount > 0


def row_of(record: dict[str, Any]) -> Row:
    """An event as it is kept, from its record."""
    return (
        float(record["at"]),
        str(record["kind"]),
        str(record.get("service", "")),
        str(record.get("server", "")),
        json.dumps(record, separators=(",", ":"), default=str),
    )
