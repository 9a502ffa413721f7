from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers import net
from checkers.base import Checker, Outcome, Phase, Target, passed, show
from healthd.clock import ManualClock, settle
from healthd.model import Endpoint
from healthd.phases import NOTHING, PARTS, PhasedTrace, Spent
from healthd.plan import make
from tests.support.building import check, config, service
from tests.support.scheduling import Running

Way = list[tuple[Phase, float]]
"""The phases that a check enters, and how long it stays in each."""


async def traced(way: Way, trace: PhasedTrace, clock: ManualClock) -> None:
    for phase, seconds in way:
        trace.enter(phase)
        await clock.advance(seconds)


@given(st.lists(st.tuples(st.sampled_from(Phase), st.integers(0, 9).map(float))), st.integers(0, 9).map(float))
def test_the_parts_make_up_the_whole(way: Way, before: float) -> None:
    """However a check goes through its phases, from its last start on; what was before the first counts to it."""

    async def spent() -> tuple[float, dict[str, float]]:
        clock = ManualClock()
        trace = PhasedTrace(clock)
        began = clock.monotonic()
        await clock.advance(before)
        for phase, seconds in way:
            if phase is Phase.START:
                began = clock.monotonic()
            await traced([(phase, seconds)], trace, clock)
        whole = clock.monotonic() - began
        return whole, dict(trace.spent(whole))

    whole, parts = asyncio.run(spent())
    assert parts.keys() <= PARTS
    assert sum(parts.values()) == (whole if parts else 0)


async def test_each_part_has_its_own_time_and_one_that_comes_again_has_both() -> None:
    """A session connects for every request; what waits for nothing but the deadline still talks."""
    clock = ManualClock()
    trace = PhasedTrace(clock)
    way = [(Phase.CONNECT, 1.0), (Phase.TLS, 2.0), (Phase.TALK, 4.0), (Phase.CONNECT, 8.0), (Phase.SILENT, 16.0)]
    await traced(way, trace, clock)
    assert trace.spent(31.0) == {"connect": 9.0, "tls": 2.0, "talk": 20.0}


async def test_a_check_that_does_not_say_how_far_it_comes_has_no_parts() -> None:
    """A plugin need not."""
    assert PhasedTrace(ManualClock()).spent(1.0) == NOTHING


async def test_a_start_forgets_the_check_before() -> None:
    """Also one whose parts nobody has asked for, and the time before the first start and between two."""
    clock = ManualClock()
    trace = PhasedTrace(clock)
    await clock.advance(16)
    await traced([(Phase.START, 4.0), (Phase.CONNECT, 1.0), (Phase.TALK, 2.0)], trace, clock)
    assert trace.spent(7.0) == {"connect": 5.0, "talk": 2.0}
    await traced([(Phase.START, 4.0), (Phase.START, 0.5), (Phase.CONNECT, 8.0), (Phase.TALK, 2.0)], trace, clock)
    assert trace.spent(10.5) == {"connect": 8.5, "talk": 2.0}


@dataclass(frozen=True, kw_only=True)
class Greeted(Checker):
    """Connects, and waits for a greeting."""

    lean: ClassVar[bool] = True

    async def check(self, target: Target) -> Outcome:
        async with net.connect(target, reset_on_close=True) as stream:
            return passed("L7OK", show(await stream.receive(9)))


@dataclass(frozen=True, kw_only=True)
class Apart(Greeted):
    """The same in a task of its own."""

    lean: ClassVar[bool] = False


async def greeted(run: Running, listener: socket.socket) -> Spent:
    """What the parts of the next check took, whose greeting comes a second after it has connected."""
    loop, known = asyncio.get_running_loop(), len(run.recorded)
    accepting = asyncio.ensure_future(loop.sock_accept(listener))
    while not accepting.done():
        await run.clock.advance(0.25)
        await asyncio.sleep(0.01)
    connection, _ = accepting.result()
    with connection:
        await run.clock.advance(1)
        connection.send(b"welcome")
        while len(run.recorded) == known:
            await settle()
            await asyncio.sleep(0.01)
    return run.spent[known]


@pytest.mark.parametrize("kind", [Greeted, Apart])
async def test_the_scheduler_tells_of_the_parts(kind: type[Greeted]) -> None:
    """Of checks with and without a task, of each check anew; all together they took what the check took."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        run, asked = Running(), Endpoint(*listener.getsockname())
        asks = check(checker=kind(), interval=1000, timeout=500)
        run.scheduler.set_jobs(make(config(service(asked, checks=[asks]))).jobs)
        async with run.going(), asyncio.timeout(60):
            for _ in range(2):
                run.scheduler.check_now(make(config(service(asked, checks=[asks]))).jobs)
                spent = await greeted(run, listener)
                assert spent.keys() == {"connect", "talk"}
                assert spent["talk"] >= 1
                assert sum(spent.values()) == pytest.approx(run.recorded[-1].seconds)


async def test_what_is_cut_off_at_its_deadline_counts_to_the_phase_it_was_in() -> None:
    """So that a server which connects and does not answer is told from one that cannot be reached."""
    run = Running()
    run.log.took = 100
    run.set_jobs(run.check(interval=10, timeout=3))
    async with run.going():
        await run.clock.advance(15)
    assert run.spent[0] == {"talk": pytest.approx(3.0, abs=0.1)}
