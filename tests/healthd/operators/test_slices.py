"""Orders on thousands of servers: in slices, and still each as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from healthd.model import Destination, Endpoint, Forward, Table, VirtualService
from healthd.operators.acting import held
from healthd.operators.judging import LOOKED_AT
from healthd.operators.operator import Order, Refused
from healthd.operators.slices import SLICE
from healthd.overrides import Admin, SetWeight
from healthd.plan import make
from tests.support.building import KEY, OTHER_KEY, SORRY, A, B, config, service
from tests.support.operating import FORCE, ORDER, Running

MANY = tuple(Endpoint(f"10.1.{number // 250}.{number % 250 + 1}", 80) for number in range(600))


def found(*servers: Endpoint) -> VirtualService:
    return VirtualService(destinations={each: Destination(Forward.MASQ, 1) for each in servers})


def running(*, min_available: int = 1, fallback: Endpoint | None = None) -> Running:
    """A service with many servers, and one with two; all are up."""
    many = service(*MANY, min_available=min_available, fallback=fallback)
    few = service(A, B, name="few", key=OTHER_KEY)
    return Running(many, few, actual=Table({KEY: found(*MANY), OTHER_KEY: found(A, B)}))


async def until(condition: Callable[[], bool]) -> None:
    """Whoever waits has every turn that there is."""
    while not condition():  # noqa: ASYNC110 - each turn is looked at
        await asyncio.sleep(0)


class Turns:
    """What somebody else saw who had all the turns that there were."""

    def __init__(self, site: Running) -> None:
        self._site = site
        self.seen: list[int] = []
        """How many servers were held, at each turn."""

    async def _look(self) -> None:
        while True:
            self.seen.append(len(self._site.controller.overrides))
            await asyncio.sleep(0)

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._look())
        await asyncio.sleep(0)
        yield
        task.cancel()


async def test_others_have_their_turn_between_slices() -> None:
    """Never is more than a slice done without it; each server is told of once, in the order of the configuration."""
    site = running()
    turns = Turns(site)
    async with turns.taken():
        done = await site.operator.drain("*", FORCE, limit=None)
    steps = [after - before for before, after in zip(turns.seen, turns.seen[1:], strict=False)]
    assert max(steps) <= SLICE
    assert sum(map(bool, steps)) >= len(MANY) // SLICE
    assert len(turns.seen) >= len(MANY) // SLICE + len(MANY) // LOOKED_AT
    assert done.servers == (*(("web", each) for each in MANY), ("few", A), ("few", B))
    assert len(site.told("drain_began")) == len(MANY) + 2
    assert len(done.edits) == len(MANY) + 2


@pytest.mark.parametrize("fallback", [SORRY, None])
async def test_the_table_is_the_same_as_of_one_change(fallback: Endpoint | None) -> None:
    """There and back, and the fallback is in it exactly while nobody else is."""
    site = running(fallback=fallback)
    async with site.going():
        await site.operator.drain("*", FORCE, limit=None)
        await site.settled()
        assert site.weights() == dict.fromkeys(MANY, 0) | ({fallback: 1} if fallback else {})
        await site.operator.ready("*", ORDER)
        await site.settled()
        assert site.weights() == dict.fromkeys(MANY, 1)
        assert site.weights(OTHER_KEY) == {A: 1, B: 1}
    assert site.controller.overrides == {}


async def test_it_is_judged_as_a_whole_before_any_of_it_is_done() -> None:
    """The service that cannot spare them comes last, and nothing has happened by then."""
    site = running(min_available=0)
    turns = Turns(site)
    async with turns.taken():
        with pytest.raises(Refused, match="few: 0 of 2 servers would be left available"):
            await site.operator.drain(["web/*", "few/*"], ORDER, limit=None)
    assert set(turns.seen) == {0}
    assert site.told("drain_began") == []


async def test_one_order_after_the_other() -> None:
    """Two that together would take all servers are not both judged by what was there before either."""
    site = running(min_available=300)
    half = [f"web/{each}" for each in MANY[:300]], [f"web/{each}" for each in MANY[300:]]
    results = await asyncio.gather(
        *(site.operator.drain(some, ORDER, limit=None) for some in half), return_exceptions=True
    )
    assert len(site.controller.overrides) == 300
    assert isinstance(results[1], Refused)
    assert "web: 0 of 600 servers would be left available, and min_available is 300" in str(results[1])


async def test_what_a_reload_takes_away_meanwhile_is_said() -> None:
    """The other servers are drained as was ordered."""
    site = running()

    async def reload() -> None:
        await until(lambda: len(site.controller.overrides) > 0)
        site.controller.replace(make(config(service(*MANY[:-2]))), Table())
        site.operator.reloaded()

    done, _ = await asyncio.gather(site.operator.drain("*", FORCE, limit=None), reload())
    assert done.texts[-4:] == tuple(
        f"{name}: server {each} is no longer configured"
        for name, each in (("web", MANY[-2]), ("web", MANY[-1]), ("few", A), ("few", B))
    )
    assert len(site.controller.overrides) == len(MANY) - 2


async def test_what_ends_meanwhile_is_not_brought_back() -> None:
    """A weight is set for each server as it stands at its turn: the maintenance of one that has ended stays over."""
    site = running()
    last = f"web/{MANY[-1]}"
    await site.operator.maintain(last, ORDER, ttl=60)
    async with site.going():

        async def end() -> None:
            await until(lambda: len(site.controller.overrides) >= 100)
            await site.operator._holds.set([("web", MANY[-1])], lambda _: None, Order(who="healthd"))

        await asyncio.gather(site.operator.set_weight("web/*", FORCE, SetWeight(3)), end())
    override = site.controller.overrides["web", MANY[-1]]
    assert (override.admin, override.weight) == (Admin.READY, SetWeight(3))


async def test_what_is_over_for_many_at_once_ends_in_slices_too() -> None:
    """But what somebody has set anew before its turn came is not over."""
    site = running()
    await site.operator.maintain("web/*", FORCE, ttl=60)
    async with site.going():
        turns = Turns(site)
        becomes = held(Admin.MAINTENANCE, ORDER, site.clock.wall() + 60, 600)
        async with turns.taken():
            await site.clock.advance(60)
            site.operator._holds._set("web", MANY[-1:], becomes, ORDER)
            await until(lambda: len(site.controller.overrides) == 1)
    assert site.controller.overrides.keys() == {("web", MANY[-1])}
    steps = [before - after for before, after in zip(turns.seen, turns.seen[1:], strict=False)]
    assert max(steps) <= SLICE


async def test_drains_that_are_done_at_once_are_told_in_slices() -> None:
    """Each once, and with none of them the limit still cuts."""
    site = running()
    async with site.going():
        await site.operator.drain("web/*", FORCE, limit=60)
        await site.settled()
        await site.clock.advance(5)
        assert len(site.told("drain_ended")) == len(MANY)
        await site.clock.advance(100)
        assert {override.until for override in site.controller.overrides.values()} == {None}
        assert site.told("drain_ended") == []
