"""Keeps the history: what is published, and once a minute how long checks took. All writing is in a thread of its own.

Rules:

1. Nothing here is waited for by anyone who checks. What comes while the file cannot be written is kept up to a bound;
   beyond it the oldest is dropped and counted.
2. A trouble is said once, and once that it is over. A damaged file is set aside, and a new one begun.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from healthd.clock import Clock, Deadline, sleep_until
from healthd.events import Bus, Event
from healthd.history import reader
from healthd.history.schema import OtherVersion, is_broken, set_aside
from healthd.history.store import MINUTE, Retention, Store, row_of
from healthd.tally import Latency

log = logging.getLogger(__name__)

GATHER = 0.5
"""Seconds that an event may wait for others to be written with."""
AGAIN_AFTER = 10.0
"""Seconds after which a file that could not be written is tried again."""
TRIES = 5
"""How often the latencies of a minute may fail: so that the next minute's are not late."""
MOST_WAITING = 10_000
PRUNE_EVERY = 600.0
FAREWELL = 5.0
"""Seconds for what has been published last, when healthd stops."""
STOPPING = "healthd is stopping"
SLICE = 500
"""Latencies that are gathered and written in one go: some two milliseconds of the event loop's."""

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
        self._waiting: deque[Event] = deque(maxlen=MOST_WAITING)
        self._dropped = 0
        self._errors: dict[str, str] = {}
        self._ended = False
        self._catching_up: set[asyncio.Future[object]] = set()
        self._store: Store | None = None
        self._writing = ThreadPoolExecutor(1, "history")
        self._reading = ThreadPoolExecutor(1, "history-reader")

    @property
    def view(self) -> HistoryView:
        return HistoryView(next(iter(self._errors.values()), ""), self._dropped + self._subscription.dropped)

    async def events(self, query: reader.EventQuery) -> list[dict[str, object]]:
        """See `reader.events`. What has been published by now is among them, unless the disk is slow or refuses."""
        await self._catch_up()
        return await self._read(lambda: reader.events(self._path, query))

    async def latencies(self, query: reader.LatencyQuery) -> list[reader.Point]:
        """See `reader.latencies`."""
        await self._catch_up()
        return await self._read(lambda: reader.latencies(self._path, query))

    async def run(self) -> None:
        """Writes for ever; when it is cancelled, what has been published by then is still written."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._write_events())
                group.create_task(self._write_latencies())
        finally:
            self._ended = True
            self._take_published()
            self._say_last_words()
            self._reading.shutdown(wait=False, cancel_futures=True)

    def _say_last_words(self) -> None:
        """Nobody else is at work by now. A disk that does not answer is no reason for healthd to end in failure."""
        try:
            self._writing.submit(self._last_words).result(timeout=FAREWELL)
        except TimeoutError:
            log.error("history: %s was not written within %g s; the last events are missing", self._path, FAREWELL)  # noqa: TRY400 - the cause is clear
        self._writing.shutdown(wait=False, cancel_futures=True)

    async def _catch_up(self) -> None:
        """Until all that has been published is written. Nothing may have been so far: then there is a file to read."""
        self._take_published()
        if self._errors or self._ended:
            return
        writing = self._write_waiting() if self._waiting else self._attempt("events", self._opened)
        task: asyncio.Future[object] = asyncio.ensure_future(writing)
        self._catching_up.add(task)
        task.add_done_callback(self._catching_up.discard)
        with suppress(TimeoutError):
            async with Deadline(self._clock, reader.PATIENCE):
                await asyncio.shield(task)  # who asks may go away, what is written is not to be lost by that

    async def _read(self, work: Callable[[], Result]) -> Result:
        if self._ended:
            raise reader.Unanswered(STOPPING)
        asked = asyncio.get_running_loop().run_in_executor(self._reading, work)
        try:
            return await asked
        except asyncio.CancelledError:
            if self._ended and asked.cancelled():  # it was still waiting for its turn
                raise reader.Unanswered(STOPPING) from None
            raise

    async def _in(self, pool: ThreadPoolExecutor, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(pool, work)

    async def _write_events(self) -> None:
        while True:
            if not self._waiting:
                self._keep(await self._subscription.get())
            await sleep_until(self._clock, self._clock.monotonic() + (AGAIN_AFTER if self._errors else GATHER))
            self._take_published()
            if self._waiting:  # somebody who asked may have seen to it
                await self._write_waiting()

    async def _write_latencies(self) -> None:
        next_pruning = 0.0
        while True:
            wall = self._clock.wall()
            await sleep_until(self._clock, self._clock.monotonic() + MINUTE - wall % MINUTE)
            await self._write_minute(self._clock.wall() - MINUTE / 2)  # however late this is
            if self._clock.monotonic() >= next_pruning and await self._attempt(
                "pruning", lambda: self._opened().prune(self._clock.wall(), self.keep)
            ):
                next_pruning = self._clock.monotonic() + PRUNE_EVERY

    async def _write_minute(self, at: float) -> None:
        """What cannot be written is tried again until the next minute is near, then lost; the rest is that one's."""
        taken, tries = self._latencies(), TRIES
        some = list(itertools.islice(taken, SLICE))
        while tries:
            if not await self._attempt("latencies", functools.partial(self._add_latencies, at, some)):
                tries -= 1
                await sleep_until(self._clock, self._clock.monotonic() + AGAIN_AFTER)
            elif not (some := list(itertools.islice(taken, SLICE))):
                return

    def _take_published(self) -> None:
        while (event := self._subscription.get_nowait()) is not None:
            self._keep(event)

    def _keep(self, event: Event) -> None:
        self._dropped += len(self._waiting) == MOST_WAITING
        self._waiting.append(event)

    async def _write_waiting(self) -> None:
        events, self._waiting = self._waiting, deque(maxlen=MOST_WAITING)
        if not await self._attempt("events", lambda: self._add_events(events)):
            self._dropped += max(0, len(events) + len(self._waiting) - MOST_WAITING)
            self._waiting = deque([*events, *self._waiting], maxlen=MOST_WAITING)

    async def _attempt(self, what: str, work: Callable[[], object]) -> bool:
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

    def _tried(self, work: Callable[[], object]) -> str:
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

    def _add_events(self, events: Iterable[Event]) -> None:
        self._opened().add_events(row_of(event.record(), event.tells_of) for event in events)

    def _add_latencies(self, at: float, latencies: Iterable[Latency]) -> None:
        self._opened().add_latencies(at, latencies)

    def _last_words(self) -> None:
        if self._waiting:
            self._tried(lambda: self._add_events(self._waiting))
        if self._store is not None:
            self._store.close()
            self._store = None
