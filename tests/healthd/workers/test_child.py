from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator

import pytest

from healthd.clock import ManualClock
from healthd.plan import Job, make
from healthd.scheduler import SWITCH_INTERVAL
from healthd.schedulerview import SchedulerView
from healthd.tally import Repeated
from healthd.verdict import Health, Verdict
from healthd.workers import child as module
from healthd.workers import wire
from healthd.workers.child import GATHER, Child
from healthd.workers.jobs import Assigned, Assignment
from tests.support.building import FAIL, PASS, A, B, check, config, service


class Talking:
    """A child in this process, and the parent's end of its socket."""

    def __init__(self, writer: asyncio.StreamWriter, reader: asyncio.StreamReader) -> None:
        self.clock = ManualClock()
        self.child = Child(writer, self.clock)
        self.reader = reader
        self.jobs: list[Job] = list(make(config(service(A, B, checks=[check(fall="2", rise="1")]))).jobs.values())

    def assign(self, verdict: Verdict) -> None:
        self.child.take(Assignment((), [Assigned(number, job, verdict) for number, job in enumerate(self.jobs)]))

    async def heard(self) -> list[wire.Row] | SchedulerView:
        payload = await asyncio.wait_for(wire.read_frame(self.reader, wire.LONGEST_TO_PARENT), 60)
        assert payload is not None
        return wire.told(payload)


@pytest.fixture
async def talking() -> AsyncIterator[Talking]:
    ours, theirs = socket.socketpair()
    reader, ours_writer = await asyncio.open_unix_connection(sock=ours)
    _, writer = await asyncio.open_unix_connection(sock=theirs)
    yield Talking(writer, reader)
    for one in (writer, ours_writer):
        one.transport.abort()
        await asyncio.sleep(0)


async def test_threads_let_the_loop_go_on(talking: Talking) -> None:
    """As soon as in the main process: libraries read what servers say in threads here, too."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(0.005)
    try:
        talking.assign(Verdict(Health.UP))
        assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL)
    finally:
        sys.setswitchinterval(usual)


async def test_outcomes_travel_together(talking: Talking) -> None:
    """Those that come within a few hundredths of a second are one message; taking up a share is a sign of life."""
    talking.assign(Verdict(Health.UP))
    assert await talking.heard() == []
    talking.child.record(talking.jobs[0], PASS, {"connect": 0.25})
    await talking.clock.advance(GATHER / 2)
    talking.child.record(talking.jobs[1], FAIL)
    await talking.clock.advance(GATHER)
    assert await talking.heard() == [(0, PASS, {"connect": 0.25}, None), (1, FAIL, {}, None)]


async def test_its_figures_are_the_sign_of_life(talking: Talking) -> None:
    """At every beat: what its scheduler shows of itself."""
    talking.assign(Verdict(Health.UP))
    await talking.heard()
    beating = asyncio.create_task(talking.child.beat(1.0))
    await talking.clock.advance(1.0)
    assert await talking.heard() == SchedulerView(checks=2)
    beating.cancel()


async def test_the_parents_verdict_sets_the_pace(talking: Talking) -> None:
    """After a restart the second failure of two settles it, and another share starts from what it is given."""
    talking.assign(Verdict(Health.UP, (FAIL,)))
    assert talking.child.record(talking.jobs[0], FAIL)
    talking.assign(Verdict(Health.UP))
    assert not talking.child.record(talking.jobs[0], FAIL)


async def test_what_was_steady_travels_again_when_the_parent_has_changed_something(talking: Talking) -> None:
    """A reload may have changed what counts for a verdict, even of a job that is the same.

    What has stayed behind goes along.
    """
    talking.assign(Verdict(Health.UP))
    await talking.heard()
    for _ in range(9):
        talking.child.record(talking.jobs[0], PASS)
    await talking.clock.advance(GATHER)
    assert await talking.heard() == [(0, PASS, {}, None)] * 2
    talking.child.take(Assignment())
    talking.child.record(talking.jobs[0], PASS)
    await talking.clock.advance(GATHER)
    seven = Repeated(PASS.status, PASS.code)
    for _ in range(7):
        seven.durations.add(PASS.seconds, {})
    assert [await talking.heard(), await talking.heard()] == [[], [(0, PASS, {}, seven)]]


async def test_a_parent_that_does_not_read_is_given_up(
    talking: Talking, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What is kept for it has a bound; beyond that the worker ends, and nothing has been left out in silence."""
    monkeypatch.setattr(module, "MOST_WAITING", 10)
    talking.assign(Verdict(Health.UP))
    talking.child._writer.write(bytes(8 * 2**20))
    for outcome in (PASS, FAIL) * 6:
        talking.child.record(talking.jobs[0], outcome)
        await talking.clock.advance(2 * GATHER)
    assert talking.child.over.is_set()
    assert "11 outcomes wait for a parent process that does not read: giving up" in caplog.text
