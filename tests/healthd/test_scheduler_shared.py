"""One check for several services, and the bound on checks that are under way."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import ClassVar

from checkers.base import Checker, Code, Outcome, Target, passed
from healthd.clock import ManualClock, sleep_until
from healthd.config.values import CheckConfig, ServiceConfig
from healthd.phases import NOTHING, Spent
from healthd.plan import Job, JobId, make
from healthd.scheduler import Scheduler
from healthd.slot import TASK_NEEDS
from tests.support.building import KEY, OTHER_KEY, A, B, C, check, config, service
from tests.support.scheduling import Running


@dataclass(frozen=True, kw_only=True)
class Asking(Checker):
    """Keeps count of whom it asked, and takes `took` seconds."""

    shared: ClassVar[bool] = True

    clock: ManualClock = field(compare=False)
    asked: list[str] = field(compare=False, default_factory=list)
    took: float = 0.0
    path: str = "/"

    async def check(self, target: Target) -> Outcome:
        self.asked.append(target.where)
        if self.took:
            await sleep_until(self.clock, self.clock.monotonic() + self.took)
        return passed(Code.L7OK)


@dataclass(frozen=True, kw_only=True)
class AskingForService(Asking):
    shared: ClassVar[bool] = False


class Shared(Running):
    """Two services with the same server, and the jobs that outcomes were recorded for."""

    def __init__(self) -> None:
        super().__init__()
        self.asking = Asking(clock=self.clock)
        self.jobs_recorded: list[JobId] = []

    def record(self, job: Job, outcome: Outcome, spent: Spent = NOTHING) -> bool:
        self.jobs_recorded.append(job.id)
        return super().record(job, outcome, spent)

    def one(self, checker: Checker | None = None, interval: float = 2) -> ServiceConfig:
        return service(A, checks=[self.question(checker, interval)], key=KEY)

    def other(self, checker: Checker | None = None, interval: float = 2) -> ServiceConfig:
        return service(A, name="other", checks=[self.question(checker, interval)], key=OTHER_KEY)

    def question(self, checker: Checker | None, interval: float) -> CheckConfig:
        return check(checker=checker or self.asking, interval=interval, fast_interval=1)

    def set_services(self, *services: ServiceConfig) -> None:
        self.scheduler.set_jobs(make(config(*services)).jobs)


WEB, OTHER = JobId("web/10.0.0.1:80/tcp"), JobId("other/10.0.0.1:80/tcp")


async def test_the_same_question_is_asked_once_for_all_services() -> None:
    """Each of them gets every outcome."""
    run = Shared()
    run.set_services(run.one(), run.other())
    async with run.going():
        await run.clock.advance(10)
    assert len(run.asking.asked) == 5
    assert run.jobs_recorded == [WEB, OTHER] * 5
    assert (run.scheduler.view.jobs, run.scheduler.view.checks) == (2, 1)


async def test_at_the_pace_of_the_one_in_the_greatest_hurry() -> None:
    """Nobody waits longer than without the others."""
    run = Shared()
    run.set_services(run.one(interval=5), run.other(interval=1))
    async with run.going():
        await run.clock.advance(10)
    assert len(run.asking.asked) == 10


async def test_another_question_is_another_check() -> None:
    """Other options, or another deadline."""
    run = Shared()
    run.set_services(run.one(), run.other(dataclasses.replace(run.asking, path="/other")))
    assert run.scheduler.view.checks == 2
    slow = service(A, name="other", key=OTHER_KEY, checks=[dataclasses.replace(run.question(None, 2), timeout=1.0)])
    run.set_services(run.one(), slow)
    assert run.scheduler.view.checks == 2


async def test_a_check_that_asks_for_a_service_is_not_shared() -> None:
    """What it is told of the service may make another question of it."""
    run = Shared()
    checker = AskingForService(clock=run.clock)
    run.set_services(run.one(checker), run.other(checker))
    assert run.scheduler.view.checks == 2


async def test_a_service_that_joins_or_leaves_does_not_disturb_the_other() -> None:
    """A reload in the midst of the check: it goes on, and its outcome is for those who are there when it ends."""
    run = Shared()
    run.asking = dataclasses.replace(run.asking, took=1.0)
    run.set_services(run.one())
    async with run.going():
        while not run.asking.asked:
            await run.clock.advance(0.05)
        run.set_services(run.one(), run.other())
        await run.clock.advance(1)
        assert run.jobs_recorded == [WEB, OTHER]
        run.set_services(run.other())
        await run.clock.advance(2)
        assert run.jobs_recorded == [WEB, OTHER, OTHER]
    assert len(run.asking.asked) in {2, 3}


async def test_a_service_that_joins_in_a_greater_hurry_sets_the_pace() -> None:
    """From now on, not only after the start that was planned."""
    run = Shared()
    run.set_services(run.one(interval=3600))
    async with run.going():
        run.set_services(run.one(interval=3600), run.other(interval=1))
        await run.clock.advance(3)
    assert len(run.asking.asked) == 3


async def test_beyond_the_bound_what_is_due_waits_its_turn() -> None:
    """It does not fail; how late it is counts."""
    run = Shared()
    run.scheduler = Scheduler(run.clock, run.record, descriptors=TASK_NEEDS)
    run.asking = dataclasses.replace(run.asking, took=1.0)
    run.set_services(service(A, B, C, checks=[run.question(None, 1)]))
    async with run.going():
        await run.clock.advance(1)
        assert len(run.asking.asked) == 1
        assert run.scheduler.view.waiting >= 1
        await run.clock.advance(8)
    assert {run.asking.asked.count(where) for where in set(run.asking.asked)} == {3}
    assert run.scheduler.view.lateness.longest > 0.5
    assert run.scheduler.view.too_late > 0
