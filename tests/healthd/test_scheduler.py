from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.base import Checker, Outcome, Phase, Target, Trace
from checkers.combined import All
from checkers.part import Part
from healthd.phases import Spent
from healthd.plan import Job, JobId, make
from healthd.scheduler import Scheduler
from healthd.slot import next_point, phase_of
from tests.support.building import PASS, A, B, config, server, service
from tests.support.scheduling import Running


def on_grid(job: JobId, interval: float, after: float) -> float:
    return next_point(phase_of(job), interval, after)


def gaps(times: list[float]) -> list[float]:
    return [round(later - earlier, 6) for earlier, later in pairwise(times)]


async def test_rule_9_of_the_design_starts_are_at_fixed_points_without_drift() -> None:
    """Over an hour a check of 5 s is started 720 times, each at its own point of the grid, however long it takes."""
    run = Running()
    run.log.took = 0.3
    run.set_jobs(run.check())
    async with run.going():
        await run.clock.advance(3600)
    assert len(run.log.began) == 720
    assert {round(moment % 5, 6) for moment in run.log.began} == {round(run.log.began[0] % 5, 6)}


def test_the_spread_is_the_same_after_a_restart() -> None:
    """The point within the interval depends on the job's name alone, on every machine and in every release."""
    job = JobId("web/10.0.0.1:80/tcp")
    for start in (0.0, 1000.0, 99_000.0):
        assert on_grid(job, 5, start) - start == pytest.approx(0.5044565279968)


def test_the_spread_is_even() -> None:
    """A thousand jobs with names that hardly differ fill every tenth of the interval with 60 to 140 starts."""
    jobs = [JobId(f"web/10.0.{net}.{host}:80/tcp") for net in range(4) for host in range(1, 251)]
    tenths = Counter(int(on_grid(job, 10, 0.0)) % 10 for job in jobs)
    assert len(tenths) == 10
    assert min(tenths.values()) >= 60
    assert max(tenths.values()) <= 140


@given(st.text(max_size=20), st.floats(0.05, 86400), st.floats(0, 1e7), st.integers(1, 3))
def test_the_next_point_is_later_and_at_most_one_interval_away(
    name: str, interval: float, after: float, times: int
) -> None:
    """Also when the time before was a point of the grid itself: no check is started twice for one."""
    for _ in range(times):
        point = on_grid(JobId(name), interval, after)
        assert after < point <= after + interval * 1.001
        after = point


async def test_rule_2_of_the_design_after_a_first_failure_the_pace_is_fast() -> None:
    """The starts that follow come at `fast_interval`, counted from the start before, until the question is settled."""
    run = Running()
    run.log.letters = list("PFFFFPPP")
    run.log.took = 0.4
    run.set_jobs(run.check())
    async with run.going():
        await run.clock.advance(40)
    assert gaps(run.log.began)[:3] == [5, 1, 1]  # failed once, twice, three times: down and settled
    back_on_grid = gaps(run.log.began)[3]
    assert 0 < back_on_grid <= 5
    assert gaps(run.log.began)[4:7] == [5, 1, 4]  # still down; passed once, and a second time at the fast pace
    assert {round(moment % 5, 6) for moment in run.log.began[-3:]} == {round(run.log.began[0] % 5, 6)}


async def test_a_check_that_is_not_settled_at_the_start_begins_at_its_fast_pace() -> None:
    """Nobody waits a long interval for a first verdict."""
    run = Running()
    run.set_jobs(run.check(interval=3600, fast_interval=1), unsettled=[JobId("web/10.0.0.1:80/tcp")])
    async with run.going():
        await run.clock.advance(1)
    assert len(run.log.began) == 1


async def test_a_settled_check_never_overlaps_itself() -> None:
    """A start that would is left out, not put off: the next one is at a point in time as if nothing had happened."""
    run = Running()
    run.log.took = 7.5
    run.set_jobs(run.check(interval=5, fast_interval=1, timeout=60, generation=1))
    async with run.going():
        await run.clock.advance(20)
    assert all(end <= start for end, start in zip(run.log.ended, run.log.began[1:], strict=False))
    assert gaps(run.log.began)[0] == 10


async def test_a_check_that_is_not_settled_follows_itself_without_a_pause() -> None:
    """Rule 2 of the design: one that takes longer than its fast pace starts again as it ends, and never before."""
    run = Running()
    run.log.letters = ["F"]
    run.log.took = 1.5
    run.set_jobs(run.check(interval=5, fast_interval=1, timeout=60, generation=1))
    async with run.going():
        await run.clock.advance(8)
    assert run.log.began[1:3] == run.log.ended[:2]
    assert gaps(run.log.began)[0] == 1.5


async def test_a_late_start_is_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """Rule 9 of the design: lateness is measured and shown, never hidden."""
    run = Running()
    run.set_jobs(run.check(interval=1))
    run.clock._now += 10.25  # as if the process had been stopped
    due = on_grid(JobId("web/10.0.0.1:80/tcp"), 1, 1000.0)
    with caplog.at_level(logging.WARNING):
        async with run.going():
            for _ in range(20):
                run.clock._now += 1
                await run.clock.advance(1)
    assert [record.getMessage() for record in caplog.records] == [
        f"checks start {1010.25 - due:.2f} s late: this process does not get enough CPU, or has too many checks"
    ]


async def test_a_removed_job_is_cancelled_and_its_outcome_ignored() -> None:
    """Also when it is under way at the reload: nothing is recorded, and it is not started again."""
    run = Running()
    run.log.took = 1.0
    run.set_jobs(run.check(interval=2))
    async with run.going():
        await run.under_way()
        run.scheduler.set_jobs({})
        await run.clock.advance(20)
    assert len(run.log.began) == 1
    assert not run.log.ended
    assert not run.recorded


async def test_an_unchanged_job_goes_on_over_a_reload() -> None:
    """A check under way is not disturbed by a configuration that is read again: it ends, is recorded, and goes on."""
    run = Running()
    run.log.took = 1.0
    run.set_jobs(run.check(interval=4))
    async with run.going():
        await run.under_way()
        for _ in range(16):
            run.set_jobs(run.check(interval=4))
            await run.clock.advance(0.5)
        await run.clock.advance(1)
    assert gaps(run.log.began) == [4, 4]
    assert len(run.recorded) == 3


async def test_a_changed_job_starts_afresh() -> None:
    """The old question is cancelled and its outcome ignored; only the new one is asked from then on."""
    run = Running()
    run.log.took = 1.0
    run.set_jobs(run.check(interval=2))
    async with run.going():
        await run.under_way()
        run.set_jobs(run.check(interval=2, generation=1))
        await run.clock.advance(1.5)
        assert run.recorded == []
        await run.under_way()
        await run.clock.advance(1)
    assert len(run.log.began) == 2
    assert len(run.recorded) == 1


async def test_a_job_added_while_running_is_started() -> None:
    """The loop that sleeps until the next start is woken for an earlier one."""
    run = Running()
    async with run.going():
        await run.clock.advance(100)
        run.set_jobs(run.check(interval=2))
        await run.clock.advance(2)
    assert len(run.log.began) == 1


async def test_a_reload_by_the_one_who_records_ends_the_job() -> None:
    """Recording may lead to a reload at once; the job that was recorded is then not started again."""
    run = Running()

    def record(job: Job, outcome: Outcome, spent: Spent) -> bool:
        run.scheduler.set_jobs({})
        return True

    run.scheduler = Scheduler(run.clock, record)
    run.set_jobs(run.check(interval=1))
    async with run.going():
        await run.clock.advance(10)
    assert len(run.log.began) == 1


async def test_stopping_cancels_what_is_under_way() -> None:
    """No task is left behind when the scheduler is cancelled."""
    run = Running()
    run.log.took = 100
    run.set_jobs(run.check(interval=1, timeout=200))
    async with run.going():
        await run.clock.advance(1)
        assert len(run.log.began) == 1
    assert len(asyncio.all_tasks()) == 1
    assert run.recorded == []


async def test_each_run_of_a_check_has_a_trace_of_its_own() -> None:
    """What an earlier run had reached does not explain the deadline of a later one."""
    run = Running()
    seen: list[Trace] = []

    @dataclass(frozen=True, kw_only=True)
    class Tracing(Checker):
        async def check(self, target: Target) -> Outcome:
            seen.append(target.trace)
            assert target.trace.phase is Phase.START
            target.trace.enter(Phase.TALK, "talking")
            return PASS

    run.set_jobs(dataclasses.replace(run.check(interval=1), checker=Tracing()))
    async with run.going():
        await run.clock.advance(3)
    assert len(seen) == 3
    assert run.recorded == [PASS] * 3


@pytest.mark.parametrize(("took", "code"), [(0.5, "L4OK"), (9, "L7TOUT")])
@pytest.mark.parametrize(("number", "parts"), [(0, {"talk"}), (1, set()), (2, set())])
async def test_of_questions_asked_at_once_no_phase_is_counted(
    took: float, code: str, number: int, parts: set[str]
) -> None:
    """Neither of an answer nor at the deadline, whose code is that of one of them: their times are no parts of one."""
    run = Running()
    run.log.took = took
    plain = run.check(interval=5, timeout=1)
    combined = All(part=(Part(kind="slow", checker=plain.checker),) * max(number, 1))
    run.set_jobs(dataclasses.replace(plain, checker=combined) if number else plain)
    async with run.going():
        await run.clock.advance(7)
    assert run.recorded[-1].code == code
    assert set(run.spent[-1]) == parts


async def test_checks_of_several_servers_run_side_by_side() -> None:
    """A slow one holds up no other."""
    run = Running()
    run.log.took = 2.5
    jobs = make(config(service(server(A), B, checks=[run.check(interval=5)]))).jobs
    run.scheduler.set_jobs(jobs)
    async with run.going():
        await run.clock.advance(50)
    assert len(run.log.began) >= 18
