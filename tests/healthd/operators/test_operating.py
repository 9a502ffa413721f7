"""What an operator set, and what the checks had found, over a restart of the daemon."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from healthd.config.values import AllDown, ServiceConfig
from healthd.model import Endpoint, Table
from healthd.operators.operating import Operating
from healthd.operators.operator import Order
from healthd.overrides import Admin, Override, SetWeight
from healthd.plan import JobId
from healthd.remembered import Memory
from healthd.statefile import rounds, running
from healthd.verdict import Health
from tests.support.building import FAIL, A, B, C, check, service
from tests.support.controlling import table
from tests.support.operating import FORCE, ORDER, Running

GOOD = table((A, 1), (B, 1))


class Machine:
    """Where one daemon runs after the other: its table, its clock and its state folder last."""

    def __init__(self, state_dir: Path, actual: Table = GOOD) -> None:
        self.state_dir = state_dir
        self.services: tuple[ServiceConfig, ...] = (service(A, B),)
        self.site = Running(*self.services, actual=actual)
        self.clock = self.site.clock

    @asynccontextmanager
    async def running(self, *, killed: bool = False) -> AsyncIterator[Running]:
        """A daemon from its start to its stop, or until it is killed."""
        site = self.site = Running(*self.services, ipvs=self.site.ipvs, clock=self.clock, start=False)
        operating = Operating(site.means, self.state_dir)
        site.operator = operating.operator
        operating.start(site.plan, site.ipvs.read())
        operating.restore()
        tasks = [asyncio.create_task(part) for part in (site.reconciler.run(), operating.run())]
        await site.settled()
        try:
            yield site
            await site.settled()
            if killed:
                await self.written()
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            if not killed:
                await operating.close()

    async def written(self) -> None:
        """Everything that was set is on the disk."""
        async with asyncio.timeout(60):
            while self.kept() != self.site.controller.overrides:  # noqa: ASYNC110 - a thread writes
                await asyncio.sleep(0.01)

    def left(self, site: Running) -> Memory:
        """What the next daemon would believe."""
        return running.load(running.path_in(self.state_dir), site.plan.jobs, self.clock.wall())[0]

    def kept(self) -> dict[tuple[str, Endpoint], Override]:
        """What is on the disk, but for the time until it ends, which is counted anew at each writing."""
        memory, _ = running.load(running.path_in(self.state_dir), {}, self.clock.wall())
        now = self.site.controller.overrides
        return {
            key: replace(override, until=now[key].until) if key in now else override
            for key, override in memory.overrides.items()
        }


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("killed", [False, True])
async def test_what_was_set_is_set_after_a_restart(machine: Machine, *, killed: bool) -> None:
    """By the next daemon, though the last one was killed; and no edit is needed for it."""
    async with machine.running(killed=killed) as site:
        site.connected(A, 1)
        await site.operator.drain("web/10.0.0.1:80", ORDER, limit=300)
        await site.operator.set_weight("web/10.0.0.2:80", ORDER, SetWeight(7))
        await site.settled()
    assert site.weights() == {A: 0, B: 7}
    async with machine.running() as site:
        assert site.weights() == {A: 0, B: 7}
        assert site.told() == []
        override = site.controller.overrides["web", A]
        assert (override.admin, override.who, override.reason) == (Admin.DRAIN, "root", "new kernel")


async def test_a_time_goes_on_over_a_restart(machine: Machine) -> None:
    """And one that was over meanwhile ends at once: the drain is cut, maintenance ends, the table is edited again."""
    machine.services = (service(A, B, C),)
    machine.site = Running(*machine.services, actual=table((A, 1), (B, 1), (C, 1)), clock=machine.clock)
    async with machine.running() as site:
        site.connected(A, 1)
        await site.operator.drain("web/10.0.0.1:80", ORDER, limit=300)
        await site.operator.maintain("web/10.0.0.2:80", ORDER, ttl=3600)
        await site.operator.freeze(ORDER, ttl=200)
        await machine.clock.advance(100)
    async with machine.running() as site:
        assert site.reconciler.frozen
        await machine.clock.advance(99)
        assert site.told() == []
        await machine.clock.advance(2)
        assert site.weights() == {A: 0, B: 0, C: 1}
    await machine.clock.advance(3600)
    async with machine.running() as site:
        assert site.told("drain_ended", "maintenance_ended")[0].startswith("web: server 10.0.0.1:80 was drained long")
        assert site.weights() == {B: 0, C: 1}
        site.ask(B, "P")
        await site.settled()
        assert site.weights() == {B: 1, C: 1}


@pytest.mark.parametrize("killed", [False, True])
async def test_servers_that_are_in_because_all_are_down_stay_down(machine: Machine, *, killed: bool) -> None:
    """The table does not tell that they are; the first that passes is the only one that is available."""
    machine.services = (service(A, B, all_down=AllDown.ALL),)
    async with machine.running(killed=killed) as site:
        for server in (A, B):
            site.ask(server, "FFF")
        await site.settled()
        assert site.weights() == {A: 1, B: 1}
        while killed and len(machine.left(site).verdicts) < 2:
            await machine.clock.advance(0.1)
            await asyncio.sleep(0.01)
    async with machine.running() as site:
        assert (site.weights(), site.told()) == ({A: 1, B: 1}, [])
        assert site.controller.available("web") == 0
        site.ask(A, "PP")
        await site.settled()
        assert (site.weights(), site.controller.available("web")) == ({A: 1, B: 0}, 1)


async def test_a_jump_of_the_wall_clock_ends_nothing_and_prolongs_nothing(machine: Machine) -> None:
    """While the daemon runs only monotonic time counts, and what is kept is what is left of it."""
    async with machine.running() as site:
        site.connected(A, 1)
        await site.operator.drain("web/10.0.0.1:80", ORDER, limit=300)
        machine.clock.jump(7200)
        await machine.clock.advance(200)
        assert site.told("drain_ended") == []
        await site.operator.set_weight("web/10.0.0.1:80", ORDER, SetWeight(2))
        await site.settled()
    machine.clock.jump(-100_000)
    async with machine.running() as site:
        site.connected(A, 1)
        await machine.clock.advance(99)
        assert site.told("drain_ended") == []
        await machine.clock.advance(2)
        assert len(site.told("drain_ended")) == 1


async def test_a_drain_that_was_done_is_not_told_again(machine: Machine) -> None:
    """Nobody is connected, and everybody knows."""
    async with machine.running() as site:
        await site.operator.drain("web/10.0.0.1:80", ORDER, limit=300)
        await machine.clock.advance(5)
        assert len(site.told("drain_ended")) == 1
    async with machine.running() as site:
        await machine.clock.advance(1000)
        assert site.told() == []
        assert site.weights() == {A: 0, B: 1}


async def test_a_server_that_is_still_down_is_not_told_again(machine: Machine) -> None:
    """The daemon goes on where it was: since when, how often, and how many outcomes of how many."""
    async with machine.running() as site:
        site.ask(A, "FFFP")
        since = site.controller.snapshot.services[0].servers[0].since
        site.ask(B, "FF")
        assert len(site.told("server_down")) == 1
    await machine.clock.advance(30)
    async with machine.running() as site:
        site.ask(A, "F")
        assert site.told() == []
        view = site.controller.snapshot.services[0].servers[0]
        assert (view.health, view.since, view.transitions) == (Health.DOWN, since, 1)
        site.ask(B, "F")
        assert len(site.told("server_down")) == 1, "the third of three"


@pytest.mark.parametrize("killed", [False, True])
async def test_why_a_server_is_down_is_known_from_the_start(machine: Machine, *, killed: bool) -> None:
    """Before anything has been asked, though the last daemon was killed."""
    async with machine.running(killed=killed) as site:
        site.ask(A, "FFF")
        await site.operator.set_weight("web/10.0.0.2:80", ORDER, SetWeight(7))  # `killed` waits for it on the disk
    async with machine.running() as site:
        view = site.controller.snapshot.services[0].servers[0]
        assert (view.health, view.last, view.reason) == (Health.DOWN, None, str(FAIL))


async def test_what_was_open_at_a_crash_is_not_counted(machine: Machine) -> None:
    """It may have been long ago: only a stop in peace keeps it."""
    async with machine.running(killed=True) as site:
        site.ask(A, "FF")
        await site.operator.set_weight("web/10.0.0.1:80", ORDER, SetWeight(2))
    async with machine.running() as site:
        site.ask(A, "F")
        assert site.told("server_down") == []


async def test_what_is_no_longer_configured_is_forgotten(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    """With a line in the log; configuration beats memory."""
    async with machine.running() as site:
        await site.operator.drain("web/10.0.0.1:80", ORDER, limit=None)
        site.ask(B, "FFF")
    machine.services = (service(B, checks=[check(fall="5")]),)
    async with machine.running() as site:
        assert site.controller.overrides == {}
        assert site.controller.snapshot.services[0].servers[0].health is Health.UNDECIDED
    assert "web: server 10.0.0.1:80 is no longer configured: forgotten that it has drain" in caplog.text


async def test_single_rounds_in_between_know_better(machine: Machine) -> None:
    """What `healthd check --once` found after the daemon had stopped is newer than what the daemon remembers."""
    async with machine.running() as site:
        site.ask(A, "FFF")
    await machine.clock.advance(60)
    rounds.save(rounds.path_in(machine.state_dir), {}, machine.clock.wall())
    async with machine.running() as site:
        assert site.controller.snapshot.services[0].servers[0].health is Health.UNDECIDED


async def test_a_damaged_file_is_said_and_replaced(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    """The daemon starts all the same."""
    path = running.path_in(machine.state_dir)
    path.write_text("{")
    async with machine.running() as site:
        assert caplog.messages == [f"{path} is damaged: overrides and verdicts of the last run are lost"]
        await site.operator.drain("web/10.0.0.1:80", ORDER, limit=None)
    assert machine.kept().keys() == {("web", A)}


async def test_a_disk_that_takes_nothing_costs_only_memory(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    """It is said once, and once that it is over; orders are carried out as ever."""
    caplog.set_level(logging.INFO)
    path = running.path_in(machine.state_dir)
    path.mkdir()
    (path / "in the way").touch()
    async with machine.running() as site:
        for selector in ("web/10.0.0.1:80", "web/10.0.0.2:80"):
            await site.operator.drain(selector, FORCE, limit=None)
            async with asyncio.timeout(60):
                while not any("cannot be written" in message for message in caplog.messages):  # noqa: ASYNC110 - a thread
                    await asyncio.sleep(0.01)
        await site.settled()
        assert site.weights() == {A: 0, B: 0}
        (path / "in the way").unlink()
        path.rmdir()
        await site.operator.ready("web/10.0.0.2:80", Order(who="root"))
    told = [
        message
        for message in caplog.messages
        if str(path) in message and "can" in message and "cannot be read" not in message
    ]
    assert [message.partition(str(path))[2].partition(" (")[0] for message in told] == [
        " cannot be written",
        " can be written again",
    ]


async def test_verdicts_alone_are_written_at_most_once_a_second(machine: Machine) -> None:
    """A storm of changes costs the disk one writing."""
    path = running.path_in(machine.state_dir)
    async with machine.running() as site:
        site.ask(A, "FFF")
        await site.settled()
        async with asyncio.timeout(60):
            while not path.exists():  # noqa: ASYNC110 - a thread
                await asyncio.sleep(0.01)
        first = path.read_text()
        assert JobId("web/10.0.0.1:80/tcp") in json.loads(first)["verdicts"]
        for letters in ("PP", "FFF", "PP"):
            site.ask(A, letters)
            await site.settled()
            await asyncio.sleep(0.02)  # nothing may happen in it
        assert path.read_text() == first
        await machine.clock.advance(1)
        async with asyncio.timeout(60):
            while path.read_text() == first:  # noqa: ASYNC110 - a thread
                await asyncio.sleep(0.01)
