"""What a worker process does: runs the checks of its share, and tells the parent what matters of their outcomes.

Rules:

1. It ends when the parent does: at once when its socket closes, and by SIGKILL if it is too busy to see that.
2. It gives a sign of life at every beat, its figures; one that hangs gives none, and the parent kills it.
3. What it keeps for a parent that does not read has a bound, and beyond that it ends: nothing is left out in silence.
4. Signals that stop or reload the service concern the parent. A worker takes no notice of them, and what it starts
   finds them as usual.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
from dataclasses import dataclass

from checkers.base import Outcome
from healthd import descriptors
from healthd import log as logs
from healthd.clock import Clock, SystemClock, sleep_until
from healthd.phases import NOTHING, Spent
from healthd.plan import Job, JobId
from healthd.scheduler import SWITCH_INTERVAL, Scheduler
from healthd.verdict import Verdict, step
from healthd.weights import slowed
from healthd.workers import privileges, wire
from healthd.workers.jobs import Assignment, CheckNow, Hello, Message, unpickled
from healthd.workers.sieve import REFRESH, Sieve

log = logging.getLogger(__name__)

GATHER = 0.02
"""Seconds that an outcome may wait for others to travel with."""

BUFFERED = 2**18
"""Bytes that wait for the parent to read; until they have gone, outcomes are kept as they are."""
MOST_WAITING = 100_000
"""Outcomes that are kept: some ten seconds' worth of the busiest worker."""


def main(descriptor: int, parent: int, usual_limit: int) -> None:
    """Serves the parent process on the socket until that closes. `usual_limit` is that of open files for programs.

    Raises:
        OSError: the capabilities cannot be given up.

    """
    privileges.give_up()
    descriptors.raise_limit(usual_limit)
    privileges.set_name("healthd-worker")
    connection = socket.socket(fileno=descriptor)
    connection.set_inheritable(False)
    if privileges.end_with(parent):
        asyncio.run(serve(connection, SystemClock()))


async def serve(connection: socket.socket, clock: Clock) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda: None)
    reader, writer = await asyncio.open_unix_connection(sock=connection)
    try:
        hello = await _next(reader)
        if isinstance(hello, Hello):
            logs.configure(hello.log_format, hello.log_level, sys.stderr)
            await _work(Child(writer, clock), reader, hello.beat)
    finally:
        writer.transport.abort()


async def _next(reader: asyncio.StreamReader) -> Message | None:
    payload = await wire.read_frame(reader, wire.LONGEST_TO_WORKER)
    return None if payload is None else unpickled(payload)


async def _work(child: Child, reader: asyncio.StreamReader, beat: float) -> None:
    """Until the parent has gone, or does not listen."""
    async with asyncio.TaskGroup() as group:
        working = [group.create_task(part) for part in (child.scheduler.run(), child.beat(beat), _obey(child, reader))]
        await child.over.wait()
        for task in working:
            task.cancel()


async def _obey(child: Child, reader: asyncio.StreamReader) -> None:
    while (message := await _next(reader)) is not None:
        if isinstance(message, Assignment):
            child.take(message)
        elif isinstance(message, CheckNow):
            child.check_now(message.numbers)
    child.over.set()


@dataclass(slots=True)
class _Watched:
    """A job here. `verdict` follows the one that the parent has: it tells when the next check is due, no more."""

    number: int
    verdict: Verdict
    sieve: Sieve


class Child:
    """The state of a worker. `over` is set when there is nobody to work for."""

    def __init__(self, writer: asyncio.StreamWriter, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock
        self._jobs: dict[JobId, Job] = {}
        self._watched: dict[JobId, _Watched] = {}
        self._waiting: list[wire.Row] = []
        self._due = False
        self.over = asyncio.Event()
        self.scheduler = Scheduler(clock, self.record, descriptors.for_checks())

    def take(self, assignment: Assignment) -> None:
        """From now on the share is this other one. The parent may have changed what it knows of every job."""
        dropped = frozenset(assignment.dropped)
        for job_id in [job_id for job_id, watched in self._watched.items() if watched.number in dropped]:
            del self._watched[job_id], self._jobs[job_id]
        for watched in self._watched.values():
            watched.sieve.restart()
        for new in assignment.added:
            self._jobs[new.job.id] = new.job
            sieve = Sieve.for_check(new.job.check, early=new.number % 100 / 100 * REFRESH)
            self._watched[new.job.id] = _Watched(new.number, new.verdict, sieve)
        unsettled = [new.job.id for new in assignment.added if not new.verdict.settled]
        self.scheduler.set_jobs(self._jobs, unsettled)
        # What lives as long as the share need not be looked through again and again, as in the main process.
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 10, 10)
        sys.setswitchinterval(SWITCH_INTERVAL)
        self._writer.write(wire.SIGN_OF_LIFE)

    def check_now(self, numbers: frozenset[int]) -> None:
        """Starts these checks at once. Their outcomes travel, as somebody waits for them."""
        wanted = [(job_id, watched) for job_id, watched in self._watched.items() if watched.number in numbers]
        for _, watched in wanted:
            watched.sieve.restart()
        self.scheduler.check_now(job_id for job_id, _ in wanted)

    def record(self, job: Job, outcome: Outcome, spent: Spent = NOTHING) -> bool:
        """As the parent's `record`, from what is known here."""
        watched = self._watched[job.id]
        if outcome.seconds > job.check.slow:
            outcome = slowed(outcome, job.check.slow)
        watched.verdict, _ = step(watched.verdict, outcome, fall=job.check.fall, rise=job.check.rise)
        now = self._clock.monotonic()
        if watched.sieve.lets_through(outcome, now, spent):
            self._waiting.append((watched.number, outcome, spent, watched.sieve.taken()))
            self._send_after(now + GATHER)
        return watched.verdict.settled

    async def beat(self, seconds: float) -> None:
        while True:
            await sleep_until(self._clock, self._clock.monotonic() + seconds)
            if not self._clogged():
                self._writer.write(wire.frame_of(self.scheduler.view))

    def _clogged(self) -> bool:
        return self._writer.transport.get_write_buffer_size() > BUFFERED

    def _send_after(self, when: float) -> None:
        if not self._due:
            self._due = True
            self._clock.call_at(when, self._send)

    def _send(self) -> None:
        self._due = False
        if self._clogged():
            if len(self._waiting) > MOST_WAITING:
                log.error("%d outcomes wait for a parent process that does not read: giving up", len(self._waiting))
                self.over.set()
            self._send_after(self._clock.monotonic() + GATHER)
            return
        for frame in wire.frames_of(self._waiting):
            self._writer.write(frame)
        self._waiting.clear()
