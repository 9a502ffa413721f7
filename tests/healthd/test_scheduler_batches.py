"""Starts that begin together: see rule 1 of `healthd.scheduler`."""

from __future__ import annotations

from collections import Counter

import pytest

from healthd.model import Endpoint
from healthd.plan import make
from tests.support.building import config, service
from tests.support.scheduling import Running

SECONDS = 3


async def begun(servers: int, interval: float) -> list[float]:
    """When checks of so many servers began, in `SECONDS`."""
    run = Running()
    endpoints = [Endpoint(f"10.0.{number // 250}.{number % 250 + 1}", 80) for number in range(servers)]
    run.scheduler.set_jobs(make(config(service(*endpoints, checks=[run.check(interval=interval)]))).jobs)
    async with run.going():
        await run.clock.advance(SECONDS)
    assert run.scheduler.view.lateness.longest < 0.011  # the grid of all starts
    return run.log.began


@pytest.mark.parametrize(("servers", "interval", "apart"), [(200, 1, 0.05), (60, 1, 0.05), (2000, 1, 0.02)])
async def test_starts_that_are_near_each_other_are_one_wake_up(servers: int, interval: float, apart: float) -> None:
    """At points that far apart; none is left out, and no more than a slice or so begins at one."""
    moments = await begun(servers, interval)
    assert len(moments) == servers * SECONDS / interval
    assert {round(moment / apart, 6) % 1 for moment in moments} == {0}
    assert len(set(moments)) > 0.8 * SECONDS / apart
    assert max(Counter(moments).values()) < 2 * max(8, servers / interval * apart)


async def test_a_few_checks_and_very_many_keep_to_their_own_points() -> None:
    """To wait for one another would save nothing there."""
    assert {round(moment / 0.05, 6) % 1 for moment in await begun(3, 1)} != {0}
    assert {round(moment / 0.02, 6) % 1 for moment in await begun(4000, 1)} != {0}
