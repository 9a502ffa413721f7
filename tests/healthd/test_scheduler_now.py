from __future__ import annotations

import pytest

from healthd.engine.wheel import GRID
from healthd.plan import JobId
from tests.support.building import A
from tests.support.scheduling import Running

JOB = JobId(f"web/{A}/tcp")


async def test_a_check_that_is_asked_for_starts_at_once_and_then_goes_on_as_planned() -> None:
    """One start more, and the fixed points in time stay what they were."""
    run = Running()
    run.set_jobs(run.check(interval=5))
    async with run.going():
        await run.under_way()
        await run.clock.advance(2)
        asked = run.clock.monotonic()
        run.scheduler.check_now([JOB])
        await run.clock.advance(5)
    first, now, following = run.log.began[:3]
    assert now == pytest.approx(asked, abs=GRID)
    assert following == pytest.approx(first + 5, abs=GRID)


async def test_a_check_under_way_is_not_disturbed_and_others_are_left_alone() -> None:
    """A check never overlaps itself; ids of no job are nobody's."""
    run = Running()
    run.log.took = 1.5
    run.set_jobs(run.check(interval=5))
    async with run.going():
        await run.under_way()
        run.scheduler.check_now([JOB, JobId("web/10.9.9.9:80/tcp")])
        await run.clock.advance(1.4)
        assert len(run.log.began) == 1
        await run.clock.advance(1)
        run.scheduler.check_now([JobId("web/10.9.9.9:80/tcp")])
        await run.clock.advance(1)
        assert len(run.log.began) == len(run.log.ended) == 1
