"""A reconciler with its surroundings, for its tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Iterable
from contextlib import asynccontextmanager, suppress

from healthd.clock import ManualClock, settle
from healthd.edits import (
    Edit,
    EditRefused,
)
from healthd.events import Bus, Event
from healthd.ipvs import IpvsUnavailable
from healthd.ipvs.memory import MemoryIpvs
from healthd.model import Destination, Endpoint, ServiceKey, ServiceOptions, Table, VirtualService
from healthd.reconcile import MERGED, Reconciler
from tests.support.building import KEY, A, B

RESYNC = 10.0


def table(*servers: tuple[Endpoint, int], key: ServiceKey = KEY) -> Table:
    return Table({key: VirtualService(ServiceOptions(), {end: Destination(weight=weight) for end, weight in servers})})


def both(one: Table, other: Table) -> Table:
    return Table({**one.services, **other.services})


GOOD = table((A, 1), (B, 1))


def nothing(_: Edit) -> bool:
    return False


class Ipvs(MemoryIpvs):
    """A table in memory that can be told to refuse, or to be out of reach, and counts how often it is asked."""

    def __init__(self, table: Table | None = None) -> None:
        super().__init__(table)
        self.reads = 0
        self.refuses: Callable[[Edit], bool] = nothing
        self.out_of_reach = False

    def scan(self, keys: frozenset[ServiceKey] | None = None) -> Generator[tuple[ServiceKey, VirtualService] | None]:
        self._reach()
        self.reads += 1
        yield from super().scan(keys)

    def apply(self, edits: Iterable[Edit]) -> list[EditRefused]:
        self._reach()
        refused = []
        for edit in edits:
            refused += [EditRefused(edit, "Invalid argument")] if self.refuses(edit) else super().apply([edit])
        return refused

    def _reach(self) -> None:
        if self.out_of_reach:
            raise IpvsUnavailable("this kernel has no IPVS")

    def by_hand(self, *edits: Edit) -> None:
        """What somebody does with ipvsadm."""
        assert MemoryIpvs.apply(self, edits) == []


class Running:
    def __init__(self, actual: Table | None = None) -> None:
        bus = Bus()
        self._told = bus.subscribe()
        self.ipvs = Ipvs(actual)
        self.clock = ManualClock()
        self.reconciler = Reconciler(self.ipvs, self.clock, bus, resync=RESYNC)

    @asynccontextmanager
    async def going(self, desired: Table) -> AsyncIterator[None]:
        """The loop runs, has seen `desired`, and does not hold anything back to merge it."""
        self.reconciler.submit(desired)
        task = asyncio.create_task(self.reconciler.run())
        await self.clock.advance(MERGED)
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def submit(self, desired: Table, *retired: ServiceKey) -> None:
        """A change that comes alone."""
        self.reconciler.submit(desired, frozenset(retired))
        await settle()
        await self.clock.advance(MERGED)

    @property
    def table(self) -> Table:
        return MemoryIpvs.read(self.ipvs)

    def events(self) -> list[Event]:
        return list(iter(self._told.get_nowait, None))

    def told(self) -> list[str]:
        return [event.text() for event in self.events()]
