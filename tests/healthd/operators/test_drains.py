from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, suppress

from healthd.clock import ManualClock, settle
from healthd.ipvs import IpvsUnavailable
from healthd.ipvs.memory import MemoryIpvs
from healthd.model import Connections, Endpoint, ServiceKey, Table
from healthd.operators.drains import PACE, Drains
from tests.support.building import KEY, OTHER_KEY, A, B
from tests.support.controlling import table

WEB_A, WEB_B = ("web", A), ("web", B)
DRAINED = table((A, 0), (B, 0))


class Counted(MemoryIpvs):
    """Counts how often it is asked, and may be out of reach."""

    asked = 0
    out_of_reach = False

    def counts(
        self, keys: frozenset[ServiceKey] | None = None
    ) -> Generator[tuple[ServiceKey, dict[Endpoint, Connections]] | None]:
        self.asked += 1
        if self.out_of_reach:
            raise IpvsUnavailable("this kernel has no IPVS")
        for found in super().counts(keys):
            yield None
            yield found  # type: ignore[misc] # a mapping


class Watching:
    def __init__(self, actual: Table | None = DRAINED) -> None:
        self.clock = ManualClock()
        self.ipvs = Counted(DRAINED)
        self.actual = actual
        self.ended: list[tuple[str, Endpoint]] = []
        self.drains = Drains(self.clock, self.ipvs, lambda: self.actual, self._end)

    async def _end(self, keys: list[tuple[str, Endpoint]]) -> None:
        self.ended += keys

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.drains.run())
        await settle()
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_without_a_drain_nothing_is_counted() -> None:
    """And neither is it any more after the last one has ended, or is done."""
    site = Watching()
    async with site.going():
        await site.clock.advance(100)
        assert site.ipvs.asked == 0
        site.drains.begin(WEB_A, KEY)
        await settle()
        assert site.ended == [WEB_A]
        asked = site.ipvs.asked
        await site.clock.advance(100)
        assert site.ipvs.asked == asked
        site.ipvs.connections[KEY, B] = Connections(1)
        site.drains.begin(WEB_B, KEY)
        await site.clock.advance(10 * PACE)
        assert asked + 10 <= site.ipvs.asked <= asked + 11
        site.drains.end(WEB_B)
        asked = site.ipvs.asked
        await site.clock.advance(10 * PACE)
        assert site.ipvs.asked <= asked + 1
    assert site.ended == [WEB_A]


async def test_a_server_that_still_gets_connections_is_not_done() -> None:
    """Its weight may not be 0 yet: the table is frozen, refuses the edit, or is being found out."""
    for actual in (table((A, 1)), None):
        site = Watching(actual)
        async with site.going():
            site.drains.begin(WEB_A, KEY)
            await site.clock.advance(10)
            assert site.ended == []
            site.actual = DRAINED
            await site.clock.advance(10)
            assert site.ended == [WEB_A]


async def test_who_is_not_in_the_table_is_done() -> None:
    """There is nobody to wait for."""
    site = Watching(Table())
    async with site.going():
        site.drains.begin(WEB_A, OTHER_KEY)
        await site.clock.advance(10)
    assert site.ended == [WEB_A]


async def test_a_table_out_of_reach_is_asked_again() -> None:
    """The drain goes on meanwhile."""
    site = Watching()
    site.ipvs.out_of_reach = True
    async with site.going():
        site.drains.begin(WEB_A, KEY)
        await site.clock.advance(10)
        assert site.ended == []
        site.ipvs.out_of_reach = False
        await site.clock.advance(10)
        assert site.ended == [WEB_A]


async def test_how_far_it_is_can_be_seen() -> None:
    """What was counted last, and whether it is done."""
    site = Watching()
    site.ipvs.connections[KEY, A] = Connections(3, 2, 1)
    async with site.going():
        site.drains.begin(WEB_A, KEY)
        site.drains.begin(WEB_B, KEY, done=True)
        await site.clock.advance(10)
        drain = site.drains.of(WEB_A)
        assert drain is not None
        assert (drain.connections, drain.done) == (Connections(3, 2, 1), False)
        assert site.drains.done == {WEB_B}
        site.drains.keep({WEB_B})
        assert site.drains.of(WEB_A) is None
    assert site.ended == []
