"""When each check runs. One grid of starts, one timer for all of them.

Rules:

1. A settled check starts at fixed points in time: its phase within the interval comes from a hash of its id, so starts
   are spread evenly, the spread is the same after a restart, and nothing drifts. A wake-up costs as much as a check:
   the starts of up to 50 ms are one, where that makes several and no more than a slice.
2. While a check is not settled its starts follow one another at `fast_interval`, counted from the start before.
3. A check never overlaps itself. A start that would is left out; while a check is not settled it is put off to the end
   of the one under way, so that a server that hangs is found out at the pace of the timeouts.
4. Every check has one deadline for all it does, and no exception of a checker gets past `healthd.engine.boundary`.
5. Jobs that ask the same question share one check, at the pace of the one in the greatest hurry.
6. Only so many checks are under way as there are descriptors for. What is due beyond that waits its turn.
7. How late starts are, for that or because this process is too busy, is measured, and said once a minute.
"""

from __future__ import annotations

import asyncio
import dataclasses
import math
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping

from checkers.base import Outcome
from healthd.clock import Clock, Timer
from healthd.engine.boundary import run_check
from healthd.engine.lateness import Lateness
from healthd.engine.lean import SLICE, Engine
from healthd.engine.lost import Vigil
from healthd.engine.wheel import Wheel
from healthd.phases import NOTHING, PhasedTrace, Spent
from healthd.plan import Job, JobId
from healthd.schedulerview import SchedulerView
from healthd.slot import Slot, next_point, question_of

BATCHES = (0.02, 0.05)
"""Seconds of starts that may begin together; an interval in tenths of a second is a multiple of them."""

SWITCH_INTERVAL = 0.0002
"""Seconds after which what works in a thread lets the loop go on, in every process that runs checks. Their libraries
read what servers say in threads, and the loop asks for its turn at every system call: Python's 5 ms would add up."""

Record = Callable[[Job, Outcome, Spent], bool]
"""Takes an outcome in, and what its parts took; True when the check is settled."""


class Scheduler:
    """`descriptors` is how many all checks together may have open."""

    def __init__(self, clock: Clock, record: Record, descriptors: float = math.inf) -> None:
        self._clock = clock
        self._record = record
        self._free = descriptors
        self._under_way = 0
        self._slots: dict[Hashable, Slot] = {}
        self._starts: Wheel[Slot] = Wheel()
        self._waiting: deque[Slot] = deque()
        self._engine: Engine[Slot] = Engine(clock, self._ended)
        self._vigil = Vigil(clock)
        self._lateness = Lateness()
        self._batch = 0.0
        self._timer: Timer | None = None
        self._timer_at = math.inf
        self._group: asyncio.TaskGroup | None = None
        self._over: asyncio.Future[None] | None = None

    @property
    def view(self) -> SchedulerView:
        return SchedulerView(
            jobs=sum(len(slot.jobs) for slot in self._slots.values()),
            checks=len(self._slots),
            waiting=len(self._waiting),
            under_way=self._under_way,
            too_late=self._lateness.too_late,
            lateness=self._lateness.view,
        )

    def set_jobs(self, jobs: Mapping[JobId, Job], unsettled: Iterable[JobId] = ()) -> None:
        """From now on these jobs run. A question that is not known yet starts afresh; one that is goes on.

        `unsettled` ones among the new begin at their fast pace.
        """
        soon = frozenset(unsettled)
        questions: dict[Hashable, list[Job]] = {}
        for job in jobs.values():
            questions.setdefault(question_of(job), []).append(job)
        for question in list(self._slots):
            if question not in questions or not self._slots[question].asks_as(questions[question][0]):
                self._drop(self._slots.pop(question))
        self._choose_batch(questions)
        now = self._clock.monotonic()
        for question, asked_by in questions.items():
            slot = self._slots.get(question)
            if slot is None:
                slot = self._slots[question] = Slot(asked_by, self._engine, self._clock)
                slot.settled = soon.isdisjoint(job.id for job in asked_by)
                self._enqueue(slot, next_point(slot.phase, slot.interval if slot.settled else slot.fast_interval, now))
            else:
                self._go_on(slot, asked_by, soon)

    def check_now(self, ids: Iterable[JobId]) -> None:
        """Starts these checks at once, whatever is planned; one that is under way is not disturbed.

        After it each goes on at its fixed points in time.
        """
        wanted = frozenset(ids)
        now = self._clock.monotonic()
        for slot in self._slots.values():
            if slot.point and not wanted.isdisjoint(job.id for job in slot.jobs):
                self._enqueue(slot, now)

    def _choose_batch(self, questions: Mapping[Hashable, list[Job]]) -> None:
        rate = sum(1 / min(job.check.interval for job in jobs) for jobs in questions.values())
        self._batch = max((seconds for seconds in BATCHES if 1 < rate * seconds <= SLICE), default=0.0)

    def _go_on(self, slot: Slot, jobs: list[Job], soon: frozenset[JobId]) -> None:
        """Takes up a reload; a check that is under way, or about to be, is not disturbed."""
        before = (slot.interval, slot.fast_interval, slot.settled)
        new = {job.id for job in jobs} - {job.id for job in slot.jobs}
        slot.take(jobs)
        slot.settled = slot.settled and soon.isdisjoint(new)
        if (slot.interval, slot.fast_interval, slot.settled) != before and slot.point:
            self._enqueue(slot, slot.next_start(self._clock.monotonic()))

    def _drop(self, slot: Slot) -> None:
        slot.gone = True
        if slot.task is not None:
            slot.task.cancel()
        elif slot.coroutine is not None:
            self._engine.stop(slot)
            self._let_go(slot)

    async def run(self) -> None:
        """Runs checks for ever; ends the ones under way when it is cancelled itself."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._over = asyncio.get_running_loop().create_future()
            try:
                self._turn()
                await self._over
            finally:
                self._over = None
                self._disarm()
                for slot in self._slots.values():
                    self._drop(slot)
                self._engine.close()

    def _turn(self) -> None:
        """Starts what is due."""
        self._disarm()
        for point, slots in self._starts.due(self._clock.monotonic()):
            for slot in slots:
                if slot.point == point and not slot.gone:
                    slot.point = 0
                    self._waiting.append(slot)
        started = 0
        while self._waiting and started < SLICE and not self._engine.behind and self._has_room_for(self._waiting[0]):
            slot = self._waiting.popleft()
            if not slot.gone:
                self._start(slot)
                started += 1
        self._engine.look()
        if self._waiting and self._has_room_for(self._waiting[0]):
            self._arm_at(self._clock.monotonic())
        self._arm()

    def _has_room_for(self, slot: Slot) -> bool:
        return slot.needs <= self._free or not self._under_way

    def _start(self, slot: Slot) -> None:
        now = self._clock.monotonic()
        self._lateness.add(now - slot.due, now)
        slot.planned = slot.due
        self._free -= slot.needs
        self._under_way += 1
        if slot.checker.lean:
            self._engine.start(slot, now)
        elif self._group is not None:
            slot.task = self._group.create_task(self._check(slot))

    async def _check(self, slot: Slot) -> None:
        trace = PhasedTrace(self._clock)
        target = dataclasses.replace(slot.target, trace=trace)
        try:
            outcome = await run_check(slot.checker, target, slot.seconds, self._clock, self._vigil)
        finally:
            slot.task = None
            self._let_go(slot)
        self._take_in(slot, outcome, trace.spent(outcome.seconds) if slot.checker.phased else NOTHING)

    def _ended(self, slot: Slot, outcome: Outcome) -> None:
        """What the engine calls back."""
        self._let_go(slot)
        try:
            self._take_in(slot, outcome, slot.trace.spent(outcome.seconds))
        except BaseException as error:
            if self._over is not None and not self._over.done():
                self._over.set_exception(error)  # nobody awaits a callback: this ends `run`
            raise

    def _let_go(self, slot: Slot) -> None:
        self._free += slot.needs
        self._under_way -= 1
        if self._waiting:
            self._arm_at(self._clock.monotonic())

    def _take_in(self, slot: Slot, outcome: Outcome, spent: Spent) -> None:
        settled = True
        for job in slot.jobs:
            if not slot.gone:  # recording may have led to a reload
                settled = self._record(job, outcome, spent) and settled
        if not slot.gone:
            slot.settled = settled
            self._enqueue(slot, slot.next_start(self._clock.monotonic()))

    def _enqueue(self, slot: Slot, when: float) -> None:
        if self._batch and slot.settled:
            when = math.ceil(when / self._batch) * self._batch
        slot.due = when
        slot.point = self._starts.put(when, slot)
        if when < self._timer_at:
            self._arm()

    def _arm(self) -> None:
        if (when := self._starts.next) is not None:
            self._arm_at(when)

    def _arm_at(self, when: float) -> None:
        """One timer for all; before and after `run` there is none."""
        if self._over is not None and when < self._timer_at:
            self._disarm()
            self._timer_at = when
            self._timer = self._clock.call_at(when, self._turn)

    def _disarm(self) -> None:
        self._timer_at = math.inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
