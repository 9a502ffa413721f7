"""When each check runs. One heap, one timer, one task per check that is under way.

Rules:

1. A settled check starts at fixed points in time: its phase within the interval comes from a hash of its id, so starts
   are spread evenly, the spread is the same after a restart, and nothing drifts.
2. While a check is not settled its starts follow one another at `fast_interval`, counted from the start before.
3. A check never overlaps itself. A start that would is left out; while a check is not settled it is put off to the end
   of the one under way, so that a server that hangs is found out at the pace of the timeouts.
4. Every check has one deadline for all it does, and no exception of a checker gets past `run_check`.
5. Starts that are late because this process is too busy are measured, and said once a minute.
"""

from __future__ import annotations

import asyncio
import dataclasses
import heapq
import itertools
import logging
import math
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from checkers import net
from checkers.base import CheckEnded, Checker, Code, Outcome, Status, Target, Trace, show
from healthd.clock import Clock, Deadline
from healthd.plan import Job, JobId

log = logging.getLogger(__name__)

LATE_AT_LEAST = 0.1
LATE_SHARE = 0.1
"""A deadline seen later than this, in seconds and as a share of the timeout, is our own lateness."""

LATE_START = 0.5
"""A check that starts later than this, in seconds, is worth a word to the administrator."""
TOLD_EVERY = 60.0

Record = Callable[[Job, Outcome], bool]
"""Takes an outcome in; True when the check is settled."""


async def run_check(checker: Checker, target: Target, seconds: float, clock: Clock) -> Outcome:
    """The outcome of one check under one deadline. This is the boundary: no exception of a checker passes it."""
    began = clock.monotonic()
    deadline = Deadline(clock, seconds)
    name = type(checker).__name__
    try:
        async with deadline:
            outcome = await checker.check(target)
        if not isinstance(outcome, Outcome):
            outcome = _crash(f"{name} returned {show(repr(outcome), 200)}, not an Outcome")
    except CheckEnded as end:
        outcome = end.outcome
    except (Exception, SystemExit, asyncio.CancelledError) as error:
        if isinstance(error, asyncio.CancelledError) and _is_cancelled():
            raise
        if deadline.struck and isinstance(error, TimeoutError):
            outcome = _cut_off(target, seconds, deadline.late)
        else:
            log.exception("checker %s raised while checking %s", name, target.where)
            outcome = _crash(f"{name} raised {show(repr(error), 200)}")
    return dataclasses.replace(outcome, seconds=clock.monotonic() - began)


def _is_cancelled() -> bool:
    """True if it was this task that somebody cancelled, and not one that a checker was waiting for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _crash(detail: str) -> Outcome:
    return Outcome(Status.UNKNOWN, Code.CRASH, detail)


def _cut_off(target: Target, seconds: float, late: float) -> Outcome:
    """A check that had no result at its deadline. If we missed it ourselves, that says nothing of the server."""
    if late > max(LATE_AT_LEAST, seconds * LATE_SHARE):
        return Outcome(Status.UNKNOWN, Code.LATE, f"this process was {late:.2f} s late to look at the answer")
    return net.deadline_outcome(target.trace, seconds)


@dataclass(slots=True, eq=False)
class _Slot:
    """A job's place in the schedule. `planned` is when its newest start was due."""

    job: Job
    planned: float
    settled: bool = True
    task: asyncio.Task[None] | None = None
    gone: bool = False


class Scheduler:
    def __init__(self, clock: Clock, record: Record) -> None:
        self._clock = clock
        self._record = record
        self._slots: dict[JobId, _Slot] = {}
        self._heap: list[tuple[float, int, _Slot]] = []
        self._order = itertools.count()
        self._wake = asyncio.Event()
        self._tell_late_after = 0.0

    def set_jobs(self, jobs: Mapping[JobId, Job], unsettled: Iterable[JobId] = ()) -> None:
        """From now on these jobs run. One that is not known yet, or changed, starts afresh.

        `unsettled` ones among the new begin at their fast pace.
        """
        soon = frozenset(unsettled)
        for job_id in list(self._slots):
            if self._slots[job_id].job != jobs.get(job_id):
                self._drop(self._slots.pop(job_id))
        now = self._clock.monotonic()
        for job_id, job in jobs.items():
            if job_id not in self._slots:
                slot = self._slots[job_id] = _Slot(job, now, settled=job_id not in soon)
                pace = job.check.interval if slot.settled else job.check.fast_interval
                self._enqueue(slot, on_grid(job_id, pace, now))
        self._wake.set()

    def _drop(self, slot: _Slot) -> None:
        slot.gone = True
        if slot.task is not None:
            slot.task.cancel()

    async def run(self) -> None:
        """Runs checks for ever; cancels the ones under way when it is cancelled itself."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                self._start_due(group)
                timer = self._clock.call_at(self._heap[0][0], self._wake.set) if self._heap else None
                try:
                    await self._wake.wait()
                finally:
                    if timer is not None:
                        timer.cancel()

    def _start_due(self, group: asyncio.TaskGroup) -> None:
        now = self._clock.monotonic()
        while self._heap and self._heap[0][0] <= now:
            when, _, slot = heapq.heappop(self._heap)
            if not slot.gone:
                self._tell_late(now - when, now)
                slot.planned = when
                slot.task = group.create_task(self._check(slot))

    def _tell_late(self, late: float, now: float) -> None:
        if late > LATE_START and now >= self._tell_late_after:
            self._tell_late_after = now + TOLD_EVERY
            log.warning("checks start %.2f s late: this process does not get enough CPU, or has too many checks", late)

    async def _check(self, slot: _Slot) -> None:
        job = slot.job
        target = dataclasses.replace(job.target, trace=Trace())
        outcome = await run_check(job.check.checker, target, job.check.timeout, self._clock)
        slot.task = None
        if slot.gone:
            return
        slot.settled = self._record(job, outcome)
        if not slot.gone:  # recording may have led to a reload
            self._enqueue(slot, self._next_start(slot))

    def _next_start(self, slot: _Slot) -> float:
        now = self._clock.monotonic()
        check = slot.job.check
        if slot.settled:
            return on_grid(slot.job.id, check.interval, max(now, slot.planned))
        return max(now, slot.planned + check.fast_interval)

    def _enqueue(self, slot: _Slot, when: float) -> None:
        heapq.heappush(self._heap, (when, next(self._order), slot))
        if self._heap[0][2] is slot:
            self._wake.set()


def on_grid(job_id: JobId, interval: float, after: float) -> float:
    """The first of the job's fixed points in time that is later than `after`, in monotonic seconds."""
    phase = zlib.crc32(job_id.encode()) / 2**32 * interval
    point = (math.floor((after - phase) / interval) + 1) * interval + phase
    return point if point > after else point + interval  # rounding may have led back to `after` itself
