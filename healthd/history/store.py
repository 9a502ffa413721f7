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

_ADD_EVENT = "INSERT INTO event (at, kind, service, server, record) VALUES (?, ?, ?, ?, ?)"
_ADD_ABOUT = "INSERT OR IGNORE INTO about (event, service, server) VALUES (?, ?, ?)"

# What is taken in lies in a table of its own first: the rest is done without a list of all names in this process.
_TAKEN = (
    "CREATE TEMP TABLE taken (service TEXT, server TEXT, name TEXT, outcomes INT, fails INT, total REAL, longest REAL)"
)
_TAKE = "INSERT INTO taken VALUES (?, ?, ?, ?, ?, ?, ?)"
_NAME_SERIES = "INSERT OR IGNORE INTO series (service, server, name) SELECT service, server, name FROM taken"
_ADD_LATENCIES = f"""
WITH steps (step) AS (VALUES {", ".join(f"({step})" for step in STEPS)})
INSERT INTO latency (series, step, at, outcomes, fails, total, longest)
    SELECT id, step, :at / step * step, outcomes, fails, total, longest
    FROM taken JOIN series USING (service, server, name), steps
    WHERE true
ON CONFLICT (series, step, at) DO UPDATE SET outcomes = outcomes + excluded.outcomes, fails = fails + excluded.fails,
    total = total + excluded.total, longest = max(longest, excluded.longest)
"""  # noqa: S608 - nothing in it comes from outside


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many seconds each is kept, and how many bytes the file may have; what is older goes first."""

    events: float
    minutes: float
    hours: float
    days: float
    size: int


Row = tuple[float, str, str, str, str, Sequence[tuple[str, str]]]
"""An event: its time, kind, service, server, the whole of it as JSON, and what other servers it tells of."""


class Store:
    """Raises `sqlite3.Error` from every method, and `OtherVersion` when it is made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = opened(path)
        self._connection.execute(_TAKEN)

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
            for *columns, about in rows:
                event = self._connection.execute(_ADD_EVENT, columns).lastrowid
                self._connection.executemany(_ADD_ABOUT, ((event, *server) for server in about))

    def add_latencies(self, at: float, latencies: Iterable[Latency]) -> None:
        """Adds what was measured up to `at` to its minute, its hour and its day; all of it, or nothing."""
        with transaction(self._connection):
            self._connection.executemany(_TAKE, latencies)
            self._connection.execute(_NAME_SERIES)
            self._connection.execute(_ADD_LATENCIES, {"at": int(at)})
            self._connection.execute("DELETE FROM taken")

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


def row_of(record: dict[str, Any], about: Sequence[tuple[str, str]] = ()) -> Row:
    """An event as it is kept, from its record and what it is `about` besides its own server."""
    return (
        float(record["at"]),
        str(record["kind"]),
        str(record.get("service", "")),
        str(record.get("server", "")),
        json.dumps(record, separators=(",", ":"), default=str),
        about,
    )
