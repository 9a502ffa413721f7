"""The messages of one alert that have not arrived, on disk: one JSON file each. Everything here blocks.

Rules:

1. A file is whole or not there: it is written under another name, synced and renamed. Only its owner can read it.
2. The folder is bounded in files and bytes, and nothing in it is trusted: what cannot be read is set aside, as
   NAME.bad, and said. It is looked at no more.
3. Nothing of this raises anything but OSError.
4. That a try has begun of which there may be no second is certain before it begins, even if the power fails.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from healthd.alerts.batch import Batch
from healthd.alerts.problem import Problem
from healthd.alerts.records import Spooled, batch_from_json, batch_to_json, known_to_json, remembered
from healthd.events import Event

MOST_FILES = 1000
MOST_BYTES = 16 * 2**20
LARGEST = 4 * 2**20
"""Bytes of one message; a full one of 500 events has about half a million."""

MOST_BAD = 10

KNOWN = "known.json"
"""The file with the failures that the receivers were told of."""

_MESSAGE = re.compile(r"[0-9]{14}-[0-9A-Za-z]{1,64}\.json")


@dataclass(frozen=True, slots=True)
class Found:
    """What an earlier life left, oldest first; `said` are sentences about what could not be used."""

    messages: tuple[Spooled, ...] = ()
    told: tuple[Problem, ...] = ()
    quiet: frozenset[tuple[str, str]] = frozenset()
    said: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reading:
    messages: list[Spooled] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


class Spool:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sizes: dict[str, int] = {}

    def load(self, *, monotonic: float, wall: float) -> Found:
        """What is in the folder; there need not be one."""
        reading = _Reading()
        names = sorted(path.name for path in self.folder.iterdir()) if self.folder.is_dir() else []
        for name in names:
            if name.endswith(".tmp"):
                (self.folder / name).unlink(missing_ok=True)
        for name in [name for name in names if _MESSAGE.fullmatch(name)][:MOST_FILES]:
            with self._setting_aside(name, reading):
                raw = self._read(name)
                message = batch_from_json(raw, monotonic=monotonic, wall=wall)
                if _name(message.batch) != name:
                    raise ValueError("it holds another message than its name says")
                self._sizes[name] = len(raw)
                reading.messages.append(message)
        told: list[Problem] = []
        quiet: set[tuple[str, str]] = set()
        if KNOWN in names:
            with self._setting_aside(KNOWN, reading):
                told, quiet = remembered(self._read(KNOWN))
        self._thin_out(names)
        return Found(tuple(reading.messages), tuple(told), frozenset(quiet), tuple(reading.said))

    def _read(self, name: str) -> bytes:
        descriptor = os.open(self.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            raw = file.read(LARGEST + 1)
        if len(raw) > LARGEST:
            raise ValueError(f"it has more than {LARGEST} bytes")
        return raw

    @contextlib.contextmanager
    def _setting_aside(self, name: str, reading: _Reading) -> Iterator[None]:
        try:
            yield
        except (ValueError, RecursionError, OSError) as error:
            path = self.folder / name
            reading.said.append(f"{path} cannot be used and is set aside as {name}.bad: {error}")
            with contextlib.suppress(OSError):
                path.rename(path.with_name(f"{name}.bad"))

    def _thin_out(self, names: list[str]) -> None:
        for name in [name for name in names if name.endswith(".bad")][:-MOST_BAD]:
            (self.folder / name).unlink(missing_ok=True)

    def write(self, batch: Batch, served: frozenset[str], *, begun: bool = False) -> None:
        raw, name = batch_to_json(batch, served, begun=begun), _name(batch)
        others = [size for other, size in self._sizes.items() if other != name]
        if len(raw) > LARGEST or len(others) >= MOST_FILES or sum(others) + len(raw) > MOST_BYTES:
            raise OSError(errno.EDQUOT, f"more than {MOST_FILES} messages or {MOST_BYTES >> 20} MiB")
        self._write(name, raw)
        self._sizes[name] = len(raw)

    def begin(self, batch: Batch, served: frozenset[str]) -> None:
        """Where it cannot be written that a try has begun, the file goes: that works on a full disk, too."""
        try:
            self.write(batch, served, begun=True)
        except OSError:
            self.remove(batch)
            raise
        finally:
            self._sync_folder()

    def _sync_folder(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def remove(self, batch: Batch) -> None:
        (self.folder / _name(batch)).unlink(missing_ok=True)
        self._sizes.pop(_name(batch), None)

    def write_known(self, told: Iterable[tuple[float, Event]], quiet: Iterable[tuple[str, str]]) -> None:
        self._write(KNOWN, known_to_json(told, quiet))

    def _write(self, name: str, raw: bytes) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        passing = self.folder / f"{name}.tmp"
        passing.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(passing, flags, 0o600), "wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            passing.rename(self.folder / name)
        except OSError:
            with contextlib.suppress(OSError):
                passing.unlink(missing_ok=True)
            raise


def _name(batch: Batch) -> str:
    """In the order of time. Raises ValueError for an id that is no part of a name."""
    name = f"{int(batch.at * 1000):014d}-{batch.id}.json"
    if not _MESSAGE.fullmatch(name):
        raise ValueError(f"no name for a file: {name!r}")
    return name
