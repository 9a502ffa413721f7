"""One worker as the parent sees it: a share of the jobs, and a process that is replaced whenever it is lost."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from checkers.base import Code, Outcome, Status
from healthd.clock import Clock, Timer, sleep_until
from healthd.config.values import Settings
from healthd.events import WorkerLost
from healthd.phases import NOTHING, Spent
from healthd.plan import Job, JobId
from healthd.schedulerview import SchedulerView
from healthd.tally import Repeated
from healthd.verdict import Verdict
from healthd.workers import wire
from healthd.workers.jobs import Assigned, Assignment, CheckNow, Hello, Message, pickled
from healthd.workers.process import Process

log = logging.getLogger(__name__)

IN_ONE_TURN = 200
"""Outcomes that are recorded before others get their turn."""


@dataclass(frozen=True, slots=True)
class Patience:
    """In seconds, and in beats of `beat` seconds.

    A process that lives less than `brief` has ended at once. The first such end is made good at once like any other;
    from the second in a row on it takes `pause`, doubled each time up to `longest_pause`.
    """

    beat: float = 1.0
    silent_beats: int = 5
    starting_beats: int = 30
    grace: float = 2.0
    brief: float = 10.0
    pause: float = 0.5
    longest_pause: float = 30.0

    def before_restart(self, brief_lives: int) -> float:
        return 0.0 if brief_lives < 2 else min(self.longest_pause, self.pause * 2.0 ** min(brief_lives - 2, 30))


class Recorder(Protocol):
    """Who keeps what the checks find: the controller."""

    def record(self, job: Job, outcome: Outcome, spent: Spent = NOTHING) -> bool:
        """Takes in an outcome, and what its parts took."""

    def count(self, job: Job, repeated: Repeated) -> None:
        """Takes in how often an outcome came that changed nothing, and was not recorded."""

    @property
    def verdicts(self) -> Mapping[JobId, Verdict]:
        """The newest verdict of every check."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all workers of a pool share."""

    clock: Clock
    recorder: Recorder
    publish: Callable[[WorkerLost], None]
    patience: Patience


class Worker:
    """`name` is for people: `worker 1 of 2`. `settings` are the newest."""

    def __init__(self, name: str, settings: Settings, around: Surroundings) -> None:
        self._name = name
        self.settings = settings
        self._around = around
        self._jobs: dict[int, Job] = {}
        self._numbers = itertools.count()
        self._writer: asyncio.StreamWriter | None = None
        self._unsaid: Outcome | None = None
        self._figures = SchedulerView()
        self._too_late = 0  # in the lives before this one

    @property
    def view(self) -> SchedulerView:
        """Of the process that is at work, by its own figures: no older than a beat."""
        too_late = self._too_late + self._figures.too_late
        return dataclasses.replace(self._figures, jobs=len(self._jobs), too_late=too_late)

    def set_jobs(self, share: Mapping[JobId, Job], verdicts: Mapping[JobId, Verdict]) -> None:
        """Also where nothing changes for it, the process hears of it: what counts for a verdict may have changed."""
        dropped = [number for number, job in self._jobs.items() if share.get(job.id) != job]
        for number in dropped:
            del self._jobs[number]
        known = {job.id for job in self._jobs.values()}
        added = {next(self._numbers): job for job in share.values() if job.id not in known}
        self._jobs |= added
        self._tell(Assignment(dropped, _assigned(added, verdicts)))

    def check_now(self, ids: frozenset[JobId]) -> None:
        """Has these of its jobs checked at once; those of a process that just starts are so anyway."""
        self._tell(CheckNow(frozenset(number for number, job in self._jobs.items() if job.id in ids)))

    def _tell(self, message: Message) -> None:
        if self._writer is not None:
            self._writer.write(wire.framed(pickled(message, self.settings.plugin_dir)))

    async def run(self) -> None:
        """Has a process at work for ever; ends it when it is cancelled itself."""
        clock, patience = self._around.clock, self._around.patience
        brief_lives = 0
        while True:
            began = clock.monotonic()
            how = await self._life()
            ended = clock.monotonic()
            brief_lives = brief_lives + 1 if ended - began < patience.brief else 0
            pause = patience.before_restart(brief_lives)
            self._around.publish(
                WorkerLost(
                    at=clock.wall(),
                    worker=self._name,
                    reason=how,
                    checks=len(self._jobs),
                    in_a_row=brief_lives,
                    retry_in=pause,
                )
            )
            self._unsaid = Outcome(Status.UNKNOWN, Code.WORKER, f"the process that runs it was lost: {how}")
            if pause:
                await self._say_unknown()
                await sleep_until(clock, ended + pause)

    async def _life(self) -> str:
        """Starts a process and takes in what it says until it is lost; how that came about."""
        try:
            process = Process()
        except OSError as error:
            return f"could not be started: {error}"
        patience = self._around.patience
        watch = _Watch(self._around.clock, patience, process.kill)
        grace, blame = patience.grace, ""
        try:
            await self._converse(process, watch)
        except wire.WireError as error:
            grace, blame = 0.0, f"{error}; "
        finally:
            watch.cancel()
            end = await process.end(grace)
        if watch.hung:
            return f"gave no sign of life for {watch.allowed * patience.beat:g} s and was killed"
        return f"{blame}{end.how}"

    async def _converse(self, process: Process, watch: _Watch) -> None:
        """Until the process has gone, whoever else may hold its end of the socket."""
        reader, writer = await asyncio.open_unix_connection(sock=process.socket)
        process.ended.add_done_callback(lambda _: writer.transport.abort())
        self._writer = writer
        try:
            settings = self.settings
            self._tell(Hello(settings.log_format, settings.log_level, self._around.patience.beat))
            self._tell(Assignment((), _assigned(self._jobs, self._around.recorder.verdicts)))
            await self._say_unknown()  # while it starts
            await self._listen(reader, watch, process.number)
        finally:
            self._writer = None
            self._too_late += self._figures.too_late
            self._figures = SchedulerView()
            writer.transport.abort()

    async def _listen(self, reader: asyncio.StreamReader, watch: _Watch, process: int) -> None:
        working = False
        while (payload := await wire.read_frame(reader, wire.LONGEST_TO_PARENT)) is not None:
            watch.heard()
            if not working:
                working = True
                log.info("%s is at work: process %d, %d checks", self._name, process, len(self._jobs))
            message = wire.told(payload)
            if isinstance(message, SchedulerView):
                self._figures = message
            else:
                self._record(message)

    def _record(self, batch: wire.Batch) -> None:
        for number, outcome, spent, repeated in batch:
            job = self._jobs.get(number)
            if job is None:
                continue  # it was dropped while this was on its way
            if repeated is not None:
                self._around.recorder.count(job, repeated)
            self._around.recorder.record(job, outcome, spent)

    async def _say_unknown(self) -> None:
        """Says of every check that it is not carried out, once: a few at a time, so that nobody is overrun."""
        outcome, self._unsaid = self._unsaid, None
        if outcome is None:
            return
        for count, (number, job) in enumerate(list(self._jobs.items()), 1):
            if self._jobs.get(number) is job:
                self._around.recorder.record(job, outcome)
            if count % IN_ONE_TURN == 0:
                await asyncio.sleep(0)


def _assigned(jobs: Mapping[int, Job], verdicts: Mapping[JobId, Verdict]) -> list[Assigned]:
    return [Assigned(number, job, verdicts.get(job.id, Verdict())) for number, job in jobs.items()]


class _Watch:
    """Counts beats without a word, and kills at the last allowed one.

    It counts beats and not seconds, so that a parent which was itself held up does not take its own silence for the
    worker's.
    """

    def __init__(self, clock: Clock, patience: Patience, kill: Callable[[], None]) -> None:
        self._clock = clock
        self._patience = patience
        self._kill = kill
        self._silent = 0
        self.allowed = patience.starting_beats
        self.hung = False
        self._timer = self._arm()

    def _arm(self) -> Timer:
        return self._clock.call_at(self._clock.monotonic() + self._patience.beat, self._tick)

    def _tick(self) -> None:
        self._silent += 1
        if self._silent > self.allowed:
            self.hung = True
            self._kill()
        else:
            self._timer = self._arm()

    def heard(self) -> None:
        self._silent = 0
        self.allowed = self._patience.silent_beats

    def cancel(self) -> None:
        self._timer.cancel()
