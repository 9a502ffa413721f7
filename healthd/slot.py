"""A check's place in the schedule: whom it asks, for whom, and when next."""

from __future__ import annotations

import asyncio
import dataclasses
import math
import zlib
from collections.abc import Hashable

from checkers.waiting import Io
from healthd.clock import Clock
from healthd.engine.lean import Run
from healthd.phases import PhasedTrace
from healthd.plan import Job, JobId

TASK_NEEDS = 8
"""Descriptors that a check in a task of its own may need: the pipes and the process of a script are the most."""


class Slot(Run):
    """A check's place in the schedule. `planned` is when its newest start was due, `due` when the next one is.

    `point` is the point of the grid that it is kept at; 0 while it is under way, or about to be. `trace` is that of a
    lean check; others have one for each time.
    """

    __slots__ = (
        "due",
        "fast_interval",
        "gone",
        "interval",
        "jobs",
        "needs",
        "phase",
        "planned",
        "point",
        "settled",
        "task",
        "trace",
    )

    def __init__(self, jobs: list[Job], io: Io, clock: Clock) -> None:
        checker, target = jobs[0].check.checker, jobs[0].target
        self.trace = PhasedTrace(clock)
        lean = checker.lean
        if lean:
            target = dataclasses.replace(target, io=io, trace=self.trace)
        super().__init__(checker, target, jobs[0].check.timeout)
        self.take(jobs)
        self.needs = 1 if lean else TASK_NEEDS * checker.questions
        self.planned = self.due = clock.monotonic()
        self.point = 0
        self.settled = True
        self.gone = False
        self.task: asyncio.Task[None] | None = None

    def take(self, jobs: list[Job]) -> None:
        self.jobs = tuple(jobs)
        self.phase = phase_of(jobs[0].id)
        self.interval = min(job.check.interval for job in jobs)
        self.fast_interval = min(job.check.fast_interval for job in jobs)

    def asks_as(self, job: Job) -> bool:
        checker = self.checker
        return checker.shared or (checker, self.target, self.seconds) == (
            job.check.checker,
            job.target,
            job.check.timeout,
        )

    def next_start(self, now: float) -> float:
        if self.settled:
            return next_point(self.phase, self.interval, max(now, self.planned))
        return max(now, self.planned + self.fast_interval)


def question_of(job: Job) -> Hashable:
    """Equal for jobs that one check can answer."""
    checker = job.check.checker
    return (checker, job.address, job.port, job.check.timeout) if checker.shared else job.id


def phase_of(job_id: JobId) -> float:
    """Where in its interval a job starts, from 0 to 1: the same on every machine and in every release."""
    return zlib.crc32(job_id.encode()) / 2**32


def next_point(phase: float, interval: float, after: float) -> float:
    """The first of a job's fixed points in time that is later than `after`, in monotonic seconds."""
    offset = phase * interval
    point = (math.floor((after - offset) / interval) + 1) * interval + offset
    return point if point > after else point + interval  # rounding may have led back to `after` itself
