"""The file: its tables, how it is opened, and what is done with one that cannot be used."""

from __future__ import annotations

import sqlite3
from pathlib import Path

VERSION = 1

_TABLES = """
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,               -- seconds since the epoch
    kind TEXT NOT NULL,
    service TEXT NOT NULL,
    server TEXT NOT NULL,
    record TEXT NOT NULL            -- the whole event as JSON
);
CREATE INDEX event_at ON event (at);
CREATE INDEX event_server ON event (service, server, id);
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    service TEXT NOT NULL,
    server TEXT NOT NULL,
    name TEXT NOT NULL,             -- of the check
    UNIQUE (service, server, name)
);
CREATE TABLE latency (
    step INTEGER NOT NULL,          -- seconds that one row stands for: 60, 3600 or 86400
    at INTEGER NOT NULL,            -- their beginning
    series INTEGER NOT NULL,
    outcomes INTEGER NOT NULL,
    fails INTEGER NOT NULL,
    total REAL NOT NULL,            -- seconds
    longest REAL NOT NULL,
    PRIMARY KEY (series, step, at)
) WITHOUT ROWID;
CREATE INDEX latency_at ON latency (step, at);
"""

_ABOUT = """
CREATE TABLE IF NOT EXISTS about (  -- servers that an event tells of besides its own
    event INTEGER NOT NULL,
    service TEXT NOT NULL,
    server TEXT NOT NULL,
    PRIMARY KEY (event, service, server)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS about_server ON about (service, server, event);
CREATE TRIGGER IF NOT EXISTS about_gone AFTER DELETE ON event BEGIN DELETE FROM about WHERE event = old.id; END;
"""
"""A file of a release before this table gets it when it is opened; what was told by then is found as it was."""

BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT)


class OtherVersion(Exception):  # noqa: N818 - named for what it is
    """The file is one of another release of healthd; the text says which."""


def opened(path: Path) -> sqlite3.Connection:
    """The file, made if there is none. It is for one thread at a time, whichever that is.

    Raises:
        OtherVersion: it was written by a release that is newer.
        sqlite3.Error: it cannot be opened, or is damaged.

    """
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    try:
        path.chmod(0o640)
        version = _version_of(connection, path)
        if version == 0:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # a crash of the machine may cost the last seconds
        connection.execute("PRAGMA journal_size_limit = 4194304")
        connection.execute("PRAGMA cache_size = -512")  # KiB; what is written is at the end of the tables
        connection.execute("PRAGMA temp_store = MEMORY")  # the disk may be full
        _begin(connection, version)
    except BaseException:
        connection.close()
        raise
    return connection


def _version_of(connection: sqlite3.Connection, path: Path) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, VERSION):
        raise OtherVersion(f"{path} has the form {version}, and this release of healthd knows {VERSION}; move it away")
    return version


def _begin(connection: sqlite3.Connection, version: int) -> None:
    tables = _ABOUT if version else _TABLES + _ABOUT
    with transaction(connection):
        for statement in tables.split(";\n"):
            connection.execute(statement)
        if version == 0:
            connection.execute(f"PRAGMA user_version = {VERSION}")


class transaction:  # noqa: N801 - reads as the statement it is
    """All that is written inside, or nothing."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._connection.execute("COMMIT")
        elif self._connection.in_transaction:  # a full disk has ended it already
            self._connection.execute("ROLLBACK")


def is_broken(error: sqlite3.Error) -> bool:
    """Whether the file itself is at fault, so that another try with it is in vain."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in BROKEN


def set_aside(path: Path) -> Path:
    """Moves a damaged file out of the way, in the place of one that was moved before.

    Raises:
        OSError: it cannot be moved.

    """
    aside = path.with_name(path.name + ".damaged")
    path.replace(aside)
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    return aside
