"""Questions about the past. Synchronous, on a connection of their own that cannot write; every answer is bounded."""

from __future__ import annotations

import itertools
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

MOST_EVENTS = 1000
MOST_POINTS = 5000

MOST_STEPS = 50_000_000
"""Steps of SQLite's machine that a question may take, a few seconds' worth; then it is given up."""
_STEPS_BETWEEN_LOOKS = 100_000
PATIENCE = 2.0
"""Seconds that a question waits for a file that is locked."""


class Unanswered(Exception):  # noqa: N818 - named for what happened
    """The history cannot be asked now; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events: of a service, a server and a kind by their names, or GLOB patterns; newest first.

    One that tells of several servers is found by each of them.
    A server may be named by its address alone, which is that server on every port. Times are seconds since the epoch;
    `before` is the id of an event, for the next page.
    """

    service: str = ""
    server: str = ""
    kind: str = ""
    since: float | None = None
    until: float | None = None
    before: int | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyQuery:
    """Of one server, all its checks together or one of them; `step` is 60, 3600 or 86400 seconds."""

    service: str
    server: str
    check: str = ""
    since: float
    until: float
    step: int = 60


@dataclass(frozen=True, slots=True)
class Point:
    """Outcomes of the `step` seconds from `at` on; `mean` and `longest` in seconds."""

    at: int
    outcomes: int
    fails: int
    mean: float
    longest: float


_UNINDEXED = "(SELECT event, +service AS service, +server AS server FROM about)"
"""Gone through from the newest event on, until there are enough: the index would have all of many sorted first."""


def events(path: Path, query: EventQuery) -> list[dict[str, Any]]:
    """The records of the events, each with its `id`.

    Raises:
        Unanswered: there is no history, or it does not answer.

    """
    conditions = ["1"]
    values: list[object] = []
    for column, wanted in (("service", [query.service]), ("server", _names(query.server)), ("kind", [query.kind])):
        if any(wanted):
            conditions.append("(" + " OR ".join(_condition(column, name) for name in wanted) + ")")
            values += [_glob(name) if _is_pattern(name) else name for name in wanted]
    for condition, number in (("at >= ?", query.since), ("at <= ?", query.until), ("id < ?", query.before)):
        if number is not None:
            conditions.append(condition)
            values.append(number)
    where = " AND ".join(conditions)
    found = f"SELECT id FROM event WHERE {where}"  # noqa: S608 - the values are bound
    if query.service or query.server:
        one = query.service and query.server and not _is_pattern(query.service + query.server)
        told_of = "about" if one else _UNINDEXED
        found += f" UNION SELECT event FROM {told_of} JOIN (SELECT id, at, kind FROM event) ON id = event WHERE {where}"  # noqa: S608 - likewise
        values *= 2
    question = f"SELECT id, record FROM event WHERE id IN ({found} ORDER BY id DESC LIMIT ?) ORDER BY id DESC"  # noqa: S608 - likewise
    rows = _asked(path, question, [*values, max(1, min(query.limit, MOST_EVENTS))])
    return [{"id": number, **json.loads(record)} for number, record in rows]


def _names(server: str) -> list[str]:
    """What is to be looked for: the name as it is where it has a port, else that address with any port.

    A pattern may be either, since what looks like its port may be the end of an IPv6 address.
    """
    with_port = f"[{server}]:*" if ":" in server else f"{server}:*"
    if _is_pattern(server):
        return [server, with_port]
    has_port = server.startswith("[") or server.count(":") == 1
    return [server if has_port or not server else with_port]


def _is_pattern(name: str) -> bool:
    return "*" in name or "?" in name


def _condition(column: str, name: str) -> str:
    return f"{column} GLOB ?" if _is_pattern(name) else f"{column} = ?"


def _glob(pattern: str) -> str:
    """Brackets are those of IPv6, no sets of characters."""
    return pattern.replace("[", "[[]")


def latencies(path: Path, query: LatencyQuery) -> list[Point]:
    """The points in the order of time. Raises as `events` does."""
    question = """
        SELECT at, sum(outcomes), sum(fails), sum(total), max(longest) FROM latency
        WHERE series IN (SELECT id FROM series WHERE service = ? AND server = ? AND (? = '' OR name = ?))
            AND step = ? AND at BETWEEN ? AND ? GROUP BY at ORDER BY at DESC LIMIT ?
    """
    values = [query.service, query.server, query.check, query.check, query.step, query.since, query.until, MOST_POINTS]
    rows = _asked(path, question, values)
    return [Point(at, count, fails, total / count, longest) for at, count, fails, total, longest in reversed(rows)]


def _asked(path: Path, question: str, values: list[Any]) -> list[tuple[Any, ...]]:
    looks = itertools.count(1)
    too_many = MOST_STEPS // _STEPS_BETWEEN_LOOKS
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=PATIENCE)) as connection:
            connection.set_progress_handler(lambda: next(looks) > too_many, _STEPS_BETWEEN_LOOKS)
            return connection.execute(question, values).fetchall()
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            raise Unanswered("the question goes through too much: ask for less, or for a shorter time") from error
        raise Unanswered(f"the history in {path} cannot be read: {error}") from error
