"""The event loop's side of a spool: what is to be done on disk is done in a thread, in order.

It is waited for only before a try of which there may be no second. A disk that is full, read-only or hangs costs the
spool, never a message: it is said once, and once that it is over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from healthd.alerts.batch import Batch
from healthd.alerts.spool import Found, Spool
from healthd.clock import Clock, Deadline
from healthd.events import Event

log = logging.getLogger(__name__)


PATIENCE = 5.0
"""Seconds after which a disk that is waited for is taken to hang."""


@dataclass(frozen=True, slots=True)
class Job:
    """`stays` is whether there is a file when it is done."""

    work: Callable[[Spool], None]
    stays: bool = True


_KNOWN = ""
"""Stands for the list of what receivers know, where a message has its id."""


class Keeper:
    def __init__(self, alert: str, spool: Spool | None, clock: Clock) -> None:
        self._alert = alert
        self._spool = spool
        self._clock = clock
        self._due: dict[str, Job] = {}
        """For each message the newest thing to do; an earlier one is of no use any more."""
        self._task: asyncio.Task[None] | None = None
        self._trouble = False
        self._hangs = False
        self._on_disk: set[str] = set()

    def keep(self, batch: Batch, served: set[str]) -> None:
        have = frozenset(served)
        self._put(batch.id, Job(lambda spool: spool.write(batch, have)))

    async def begin(self, batch: Batch, served: set[str]) -> None:
        """Returns when it is on disk that a try of `batch` has begun, together with all that was asked for before.

        Or when that has failed; and a disk that hangs is not waited for again until it answers.
        """
        have = frozenset(served)
        self._put(batch.id, Job(lambda spool: spool.begin(batch, have)))
        if self._spool is None or self._hangs:
            return
        try:
            async with Deadline(self._clock, PATIENCE):
                await self.flushed()
        except TimeoutError:
            self._hangs = True
            self._complain(self._spool, f"no answer within {PATIENCE:g} s")

    def forget(self, batch: Batch) -> None:
        self._put(batch.id, Job(lambda spool: spool.remove(batch), stays=False))

    def know(self, told: Sequence[tuple[float, Event]], quiet: Iterable[tuple[str, str]]) -> None:
        """What the receivers believe to be wrong, and who is in maintenance."""
        silent = frozenset(quiet)
        self._put(_KNOWN, Job(lambda spool: spool.write_known(told, silent)))

    def holds(self, batch: Batch) -> bool:
        return batch.id in self._on_disk

    async def load(self, *, monotonic: float, wall: float) -> Found:
        """What an earlier life left; nothing where that cannot be read, which is said."""
        if self._spool is None:
            return Found()
        try:
            found = await asyncio.to_thread(self._spool.load, monotonic=monotonic, wall=wall)
        except OSError as error:
            log.error("alert %s: what waits in %s cannot be read: %s", self._alert, self._spool.folder, error)  # noqa: TRY400 - the cause is clear
            return Found()
        for sentence in found.said:
            log.error("alert %s: %s", self._alert, sentence)
        self._on_disk |= {message.batch.id for message in found.messages}
        return found

    async def flushed(self) -> None:
        """Returns when everything that was asked for is done or has failed."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def _put(self, key: str, job: Job) -> None:
        if self._spool is None:
            return
        self._due[key] = job
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(self._spool), name=f"spool of alert {self._alert}")

    async def _work(self, spool: Spool) -> None:
        while self._due:
            key = next(iter(self._due))
            job = self._due.pop(key)
            try:
                await asyncio.to_thread(job.work, spool)
            except OSError as error:
                self._on_disk.discard(key)
                self._complain(spool, error)
            else:
                (self._on_disk.add if job.stays else self._on_disk.discard)(key)
                self._relax(spool)
            self._hangs = False

    def _complain(self, spool: Spool, error: OSError | str) -> None:
        if not self._trouble:
            self._trouble = True
            consequence = "messages that wait would be lost by a restart"
            log.error("alert %s: spool %s cannot be written: %s; %s", self._alert, spool.folder, error, consequence)

    def _relax(self, spool: Spool) -> None:
        if self._trouble:
            self._trouble = False
            log.info("alert %s: spool %s can be written again", self._alert, spool.folder)
