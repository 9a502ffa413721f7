"""An operator with what its orders reach, on a table in memory and a clock that is stepped by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from healthd.clock import ManualClock, settle
from healthd.config.values import ServiceConfig
from healthd.controller import Controller
from healthd.events import Bus, Event
from healthd.ipvs.memory import MemoryIpvs
from healthd.model import Connections, Endpoint, ServiceKey, Table
from healthd.operators.operator import Means, Operator, Order, Preview
from healthd.overrides import Freeze, Override
from healthd.plan import JobId, make
from healthd.reconcile import MERGED, Reconciler
from healthd.remembered import Memory
from healthd.verdict import Verdict
from tests.support.building import KEY, config, outcomes

ORDER = Order(who="root", reason="new kernel")
FORCE = Order(who="root", force=True)

Key = tuple[str, Endpoint]


class Running:
    """The core of a daemon; everything that is asked of its surroundings is written down."""

    def __init__(
        self,
        *services: ServiceConfig,
        actual: Table | None = None,
        remembered: Mapping[JobId, Verdict] | None = None,
        overrides: Mapping[Key, Override] | None = None,
        clock: ManualClock | None = None,
        ipvs: MemoryIpvs | None = None,
        start: bool = True,
    ) -> None:
        self.clock = clock or ManualClock()
        self.bus = Bus()
        self._told = self.bus.subscribe()
        self.ipvs = ipvs or MemoryIpvs(actual)
        self.asked: list[JobId] = []
        self.reloads = 0
        self.reconciler = Reconciler(self.ipvs, self.clock, self.bus, resync=10.0)
        self.plan = make(config(*services))
        self.controller = Controller(self.plan, self.clock, self.bus, self.reconciler.submit)
        self.means = Means(
            clock=self.clock,
            bus=self.bus,
            controller=self.controller,
            reconciler=self.reconciler,
            ipvs=self.ipvs,
            check_now=self._check,
            reload=self._reload,
            preview=self._preview,
            test_alerts=self._test_alerts,
        )
        self.operator = Operator(self.means)
        if start:
            self.controller.start(self.ipvs.read(), Memory(remembered or {}, overrides=overrides or {}))

    def _check(self, ids: Collection[JobId]) -> None:
        self.asked += ids

    def _reload(self) -> None:
        self.reloads += 1

    async def _preview(self, path: Path | None) -> Preview:
        return Preview(effects=(str(path),))

    async def _test_alerts(self, name: str | None) -> list[tuple[str, bool]]:
        ops, chat = ("ops: arrived", True), ("chat: did not arrive: HTTP 404", False)
        return {None: [ops, chat], "ops": [ops], "chat": [chat]}[name]

    @asynccontextmanager
    async def going(self, *, frozen: Freeze | None = None, drained: Collection[Key] = ()) -> AsyncIterator[None]:
        """The table is held true and drains are watched."""
        self.operator.restore(frozen, drained)
        tasks = [asyncio.create_task(part) for part in (self.reconciler.run(), self.operator.run())]
        await self.clock.advance(MERGED)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def settled(self) -> None:
        """Everything that follows at once has been done."""
        await settle()
        await self.clock.advance(MERGED)

    def ask(self, endpoint: Endpoint, letters: str, service: str = "web") -> None:
        for outcome in outcomes(letters):
            self.controller.record(self.plan.jobs[JobId(f"{service}/{endpoint}/tcp")], outcome)

    def connected(self, endpoint: Endpoint, *counts: int, key: ServiceKey = KEY) -> None:
        self.ipvs.connections[key, endpoint] = Connections(*counts)

    def weights(self, key: ServiceKey = KEY) -> dict[Endpoint, int]:
        """What is in the table."""
        return {end: found.weight for end, found in self.ipvs.read().services[key].destinations.items()}

    def events(self) -> list[Event]:
        return list(iter(self._told.get_nowait, None))

    def told(self, *kinds: str) -> list[str]:
        """The texts of the events since the last call, of all kinds or of those."""
        return [event.text() for event in self.events() if event.kind in kinds or not kinds]
