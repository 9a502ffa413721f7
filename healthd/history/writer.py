"""Keeps the history: what is published, and once a minute how long checks took. All writing is in a thread of its own.

Rules:

1. Nothing here is waited for by anyone who checks. What comes while the file cannot be written is kept up to a bound;
   beyond it the oldest is dropped and counted.
2. A trouble is said once, and once that it is over. A damaged file is set aside, and a new one begun.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from healthd.clock import Clock, sleep_until
from healthd.events import Bus, Event
from healthd.history import reader
from healthd.history.schema import OtherVersion, is_broken, set_aside
from healthd.history.store import MINUTE, Retention, Row, Store, row_of
from healthd.tally import Latency

log = logging.getLogger(__name__)

GATHER = 0.5
"""Seconds that an event may wait for others to be written with."""
AGAIN_AFTER = 10.0
"""Seconds after which a file that could not be written is tried again."""
MOST_WAITING = 10_000
PRUNE_EVERY = 600.0
SLICE = 500
"""Latencies that are gathered in one go: some two milliseconds."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class HistoryView:
    """`error` is empty while all is well; `dropped` events are lost to it since the start."""

    error: str
    dropped: int


class History:
    """`latencies` gives what the checks took since it was last called, and may be paused."""

    def __init__(
        self, path: Path, keep: Retention, clock: Clock, bus: Bus, latencies: Callable[[], Generator[Latency]]
    ) -> None:
        self.keep = keep
        self._path = path
        self._clock = clock
        self._subscription = bus.subscribe(MOST_WAITING)
        self._latencies = latencies
        self._waiting: deque[Row] = deque(maxlen=MOST_WAITING)
        self._dropped = 0
        self._errors: dict[str, str] = {}
        self._store: Store | None = None
        self._writing = ThreadPoolExecutor(1, "history")
        self._reading = ThreadPoolExecutor(1, "history-reader")

    @property
    def view(self) -> HistoryView:
        return HistoryView(next(iter(self._errors.values()), ""), self._dropped + self._subscription.dropped)

    async def events(self, query: reader.EventQuery) -> list[dict[str, object]]:
        """See `reader.events`."""
        return await self._in(self._reading, lambda: reader.events(self._path, query))

    async def latencies(self, query: reader.LatencyQuery) -> list[reader.Point]:
        """See `reader.latencies`."""
        return await self._in(self._reading, lambda: reader.latencies(self._path, query))

    async def run(self) -> None:
        """Writes for ever; when it is cancelled, what has been published by then is still written."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._write_events())
                group.create_task(self._write_latencies())
        finally:
            while (event := self._subscription.get_nowait()) is not None:
                self._keep(event)
            self._writing.submit(self._last_words).result(timeout=5.0)  # nobody else is at work by now
            self._writing.shutdown()
            self._reading.shutdown(wait=False, cancel_futures=True)

    async def _in(self, pool: ThreadPoolExecutor, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(pool, work)

    async def _write_events(self) -> None:
        while True:
            if not self._waiting:
                self._keep(await self._subscription.get())
            await sleep_until(self._clock, self._clock.monotonic() + (AGAIN_AFTER if self._errors else GATHER))
            while (event := self._subscription.get_nowait()) is not None:
                self._keep(event)
            await self._write_waiting()

    async def _write_latencies(self) -> None:
        next_pruning = 0.0
        while True:
            wall = self._clock.wall()
            await sleep_until(self._clock, self._clock.monotonic() + MINUTE - wall % MINUTE)
            taken: list[Latency] = []
            for number, latency in enumerate(self._latencies(), 1):
                taken.append(latency)
                if number % SLICE == 0:
                    await asyncio.sleep(0)
            at = self._clock.wall() - MINUTE / 2  # in the minute that has just ended, however late this is
            await self._attempt("latencies", lambda: self._opened().add_latencies(at, taken))  # noqa: B023 - it ends before the next
            if self._clock.monotonic() >= next_pruning:
                next_pruning = self._clock.monotonic() + PRUNE_EVERY
                await self._attempt("pruning", lambda: self._opened().prune(self._clock.wall(), self.keep))

    def _keep(self, event: Event) -> None:
        self._dropped += len(self._waiting) == MOST_WAITING
        self._waiting.append(row_of(event.record()))

    async def _write_waiting(self) -> None:
        rows, self._waiting = self._waiting, deque(maxlen=MOST_WAITING)
        if not await self._attempt("events", lambda: self._opened().add_events(rows)):
            self._dropped += max(0, len(rows) + len(self._waiting) - MOST_WAITING)
            self._waiting = deque([*rows, *self._waiting], maxlen=MOST_WAITING)

    async def _attempt(self, what: str, work: Callable[[], None]) -> bool:
        """Does some writing; says what is wrong with it, and returns whether nothing is."""
        error = await self._in(self._writing, lambda: self._tried(work))
        before = bool(self._errors)
        if error:
            self._errors[what] = error
        else:
            self._errors.pop(what, None)
        if error and not before:
            log.error("history: %s; checking goes on without", error)
        if before and not self._errors:
            log.warning("history: written again; %d events are missing", self.view.dropped)
        return not error

    # What follows runs in the thread.

    def _tried(self, work: Callable[[], None]) -> str:
        try:
            work()
        except (sqlite3.Error, OtherVersion, OSError) as error:
            return self._told(error)
        return ""

    def _told(self, error: Exception) -> str:
        if self._store is not None:
            self._store.close()
            self._store = None
        if isinstance(error, sqlite3.Error) and is_broken(error):
            try:
                return f"{self._path} is damaged ({error}); it is kept as {set_aside(self._path)} and begun anew"
            except OSError as refused:
                return f"{self._path} is damaged ({error}) and cannot be moved: {refused}"
        return str(error) if isinstance(error, OtherVersion) else f"{self._path} cannot be written: {error}"

    def _opened(self) -> Store:
        if self._store is None:
            self._store = Store(self._path)
        return self._store

    def _last_words(self) -> None:
        if self._waiting:
            self._tried(lambda: self._opened().add_events(self._waiting))
        if self._store is not None:
            self._store.close()
            self._store = None
