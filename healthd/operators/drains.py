"""Watches servers that are drained until nobody is connected to them any more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container
from contextlib import suppress
from dataclasses import dataclass

from healthd.clock import Clock, sleep_until
from healthd.ipvs import Ipvs, IpvsUnavailable
from healthd.ipvs.counting import counted
from healthd.model import Connections, Endpoint, ServiceKey, Table
from healthd.operators.selecting import Key
from healthd.operators.slices import Slices

PACE = 2.0
"""Seconds between two looks at the connections, while there is somebody to wait for."""
LOOKED_AT = 500
"""Servers that are looked at in one go: a millisecond or two."""

Ended = Callable[[list[Key]], Awaitable[None]]


@dataclass(slots=True)
class Drain:
    """`connections` is what was counted last, None before the first time. `done` once it was nothing."""

    service: ServiceKey
    connections: Connections | None = None
    done: bool = False


class Drains:
    """`actual` is what the table holds; `ended` is told of those to whom nobody is connected any more."""

    def __init__(
        self,
        clock: Clock,
        ipvs: Ipvs,
        actual: Callable[[], Table | None],
        ended: Callable[[list[Key]], Awaitable[None]],
    ) -> None:
        self._clock = clock
        self._ipvs = ipvs
        self._actual = actual
        self._ended = ended
        self._drains: dict[Key, Drain] = {}
        self._begun = asyncio.Event()

    def begin(self, key: Key, service: ServiceKey, *, done: bool = False) -> None:
        """Watches this server from now on; one that is `done` is only remembered."""
        self._drains[key] = Drain(service, done=done)
        self._begun.set()

    def end(self, key: Key) -> Drain | None:
        """Forgets about it; what was known of it."""
        return self._drains.pop(key, None)

    def keep(self, keys: Container[Key]) -> None:
        """Forgets about all others."""
        self._drains = {key: drain for key, drain in self._drains.items() if key in keys}

    def of(self, key: Key) -> Drain | None:
        return self._drains.get(key)

    @property
    def done(self) -> frozenset[Key]:
        """Those to whom nobody is connected any more."""
        return frozenset(key for key, drain in self._drains.items() if drain.done)

    async def run(self) -> None:
        """Looks for ever; a table that cannot be read is looked at again."""
        while True:
            await self._begun.wait()
            while any(not drain.done for drain in self._drains.values()):
                began = self._clock.monotonic()
                with suppress(IpvsUnavailable):  # who edits the table has said so
                    await self._look()
                await sleep_until(self._clock, began + PACE)
            self._begun.clear()

    async def _look(self) -> None:
        before = {key: drain for key, drain in self._drains.items() if not drain.done}
        actual = self._actual()  # before the counts: who is counted after nobody is sent is the last
        counts = await counted(self._ipvs, frozenset(drain.service for drain in before.values()))
        over = []
        slices = Slices(LOOKED_AT)
        for key, drain in before.items():
            await slices.after(1)
            if self._drains.get(key) is not drain:
                continue  # it has ended meanwhile, or began anew
            drain.connections = counts.get(drain.service.label, {}).get(key[1], Connections())
            if not any(drain.connections) and _quiesced(actual, drain.service, key[1]):
                drain.done = True
                over.append(key)
        if over:
            await self._ended(over)


def _quiesced(actual: Table | None, service: ServiceKey, endpoint: Endpoint) -> bool:
    """Whether the table sends it nobody: it may be late with an edit, refuse it, or be frozen."""
    if actual is None or service not in actual.services:
        return actual is not None
    destination = actual.services[service].destinations.get(endpoint)
    return destination is None or destination.weight == 0
