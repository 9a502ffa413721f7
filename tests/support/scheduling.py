"""A scheduler with its surroundings, for its tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from checkers.base import Checker, Outcome, Phase, Target
from healthd.clock import ManualClock, settle, sleep_until
from healthd.config.values import CheckConfig
from healthd.phases import NOTHING, Spent
from healthd.plan import Job, JobId, make
from healthd.scheduler import Scheduler
from healthd.verdict import Health, Verdict, step
from tests.support.building import LETTERS, A, check, config, service


@dataclass
class Log:
    """When checks began and ended, and what they answer: a letter each, the last one repeated; `took` in seconds."""

    clock: ManualClock
    letters: list[str] = field(default_factory=lambda: ["P"])
    took: float = 0.0
    began: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Slow(Checker):
    """Takes its time by the manual clock."""

    log: Log = field(compare=False)
    generation: int = 0

    async def check(self, target: Target) -> Outcome:
        log = self.log
        log.began.append(log.clock.monotonic())
        target.trace.enter(Phase.TALK, "waiting for the answer")
        if log.took:
            await sleep_until(log.clock, log.clock.monotonic() + log.took)
        log.ended.append(log.clock.monotonic())
        return LETTERS[log.letters.pop(0) if len(log.letters) > 1 else log.letters[0]]


class Running:
    """A scheduler whose outcomes go through verdicts as they would in the controller."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.log = Log(self.clock)
        self.recorded: list[Outcome] = []
        self.spent: list[Spent] = []
        self._verdicts: dict[JobId, Verdict] = {}
        self.scheduler = Scheduler(self.clock, self.record)

    def record(self, job: Job, outcome: Outcome, spent: Spent = NOTHING) -> bool:
        self.recorded.append(outcome)
        self.spent.append(spent)
        before = self._verdicts.get(job.id, Verdict(Health.UP))
        self._verdicts[job.id], _ = step(before, outcome, fall=job.check.fall, rise=job.check.rise)
        return self._verdicts[job.id].settled

    def check(
        self, *, interval: float = 5, fast_interval: float = 1, timeout: float = 3, generation: int = 0
    ) -> CheckConfig:
        checker = Slow(log=self.log, generation=generation)
        return check(checker=checker, interval=interval, fast_interval=fast_interval, timeout=timeout)

    def set_jobs(self, *checks: CheckConfig, unsettled: Iterable[JobId] = ()) -> None:
        self.scheduler.set_jobs(make(config(service(A, checks=checks))).jobs, unsettled)

    async def under_way(self) -> None:
        """Goes on to just after the next start of a check."""
        begun = len(self.log.began)
        while len(self.log.began) == begun:
            await self.clock.advance(0.05)

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.scheduler.run())
        await settle()
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
