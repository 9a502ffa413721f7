"""The state of everything, gathered from the rooms and put into JSON in slices.

10,000 servers take some tenths of a second of CPU. So one snapshot serves all who ask within half a second, equal
questions share one text, and only one text is made at a time.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from healthd.control import shapes, unusual
from healthd.control.globs import matches
from healthd.control.sharing import Shared, finished
from healthd.control.sources import Sources
from healthd.ipvs import IpvsUnavailable
from healthd.model import Connections, Counts, Endpoint
from healthd.snapshot import ServerView, ServiceView, Snapshot

FRESH = 0.5
"""Seconds for which a snapshot and what was made of it are good."""
COUNTED_FOR = 1.0
"""Seconds for which the kernel's connection counts are."""

SLICE = 40
"""Servers that are put into JSON in one go: about two milliseconds."""
MOST_TEXTS = 16
"""Different questions whose texts are kept for a moment."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which servers are shown: glob patterns of names, and states, of which none means all.

    A service none of whose servers are left is not shown, unless nothing but `service` was asked for.
    """

    service: str = "*"
    server: str = "*"
    states: tuple[str, ...] = ()
    summary: bool = False

    def takes(self, server: ServerView) -> bool:
        if self.states and server.state not in self.states:
            return False
        return self.server == "*" or matches(self.server, server.name) or matches(self.server, server.address)

    @property
    def all_servers(self) -> bool:
        return self.server == "*" and not self.states


@dataclass(frozen=True, slots=True)
class Gathered:
    """`counting` says why connections could not be counted; empty if they were."""

    snapshot: Snapshot
    counts: Counts = field(default_factory=dict)
    counting: str = ""

    def of(self, service: ServiceView, server: ServerView) -> Connections | None:
        return self.counts.get(service.virtual, {}).get(Endpoint(server.address, server.port))


class Status:
    def __init__(self, sources: Sources, newest: Mapping[str, float]) -> None:
        """`newest` says when an event of each kind happened last."""
        self._sources = sources
        self._newest = newest
        self._turn = asyncio.Lock()
        self._gathered = Shared(sources.clock, FRESH, self._gather)
        self._head = Shared(sources.clock, FRESH, self._make_head)
        self._counted = Shared(sources.clock, COUNTED_FOR, self._count)
        self._texts: dict[Filter, Shared[tuple[bytes, ...]]] = {}

    def forget(self) -> None:
        """After an act: who asks next is to see what it did."""
        self._gathered.forget()
        self._head.forget()
        self._counted.forget()
        for text in self._texts.values():
            text.forget()

    def close(self) -> None:
        self._gathered.drop()
        self._head.drop()
        self._counted.drop()
        for text in self._texts.values():
            text.drop()

    async def gathered(self) -> Gathered:
        return await self._gathered.get()

    async def services(self, wanted: Filter) -> tuple[bytes, ...]:
        """The JSON array of the services, in pieces."""
        for known in [known for known, shared in self._texts.items() if shared.empty]:
            del self._texts[known]
        shared = self._texts.get(wanted) or Shared(self._sources.clock, FRESH, lambda: self._text(wanted))
        if len(self._texts) < MOST_TEXTS:
            self._texts[wanted] = shared
        return await shared.get()

    async def service(self, service: ServiceView, gathered: Gathered) -> tuple[bytes, ...]:
        """One service with all its servers as a JSON object, in pieces."""
        async with self._turn:
            return tuple([piece async for piece in _service(service, gathered, Filter(), first=True)])

    async def head(self) -> dict[str, Any]:
        """Everything but the services, and who asks."""
        return await self._head.get()

    async def _make_head(self) -> dict[str, Any]:
        gathered = await self._gathered.get()
        async with self._turn:
            totals = await finished(shapes.totals(gathered.snapshot))
        sources, snapshot = self._sources, gathered.snapshot
        about, table, history = sources.about(), sources.table(), sources.history
        alerts = list(sources.alerts.views()) if sources.alerts else []
        return {
            "version": about.version,
            "host": about.host,
            "pid": about.pid,
            "at": snapshot.at,
            "started": about.started,
            "uptime": about.uptime,
            "generation": about.generation,
            "totals": totals,
            "unusual": list(unusual.lines(sources, snapshot, alerts, gathered.counting, self._newest)),
            "frozen": shapes.frozen(snapshot.frozen),
            "table": {
                "kind": table.kind,
                "ok": not table.errors,
                "errors": list(table.errors),
                "read_age": table.read_age,
                "pending": list(table.pending),
            },
            "scheduler": shapes.scheduler(sources.scheduler()),
            "history": {"ok": history is not None and not history.error, "error": history.error if history else "off"},
            "alerts": alerts,
        }

    async def _gather(self) -> Gathered:
        async with self._turn:
            snapshot = await finished(self._sources.snapshot())
        try:
            return Gathered(snapshot, await self._counted.get())
        except IpvsUnavailable as error:
            return Gathered(snapshot, counting=str(error))

    async def _count(self) -> Counts:
        if self._sources.counts is None:
            return {}
        async with self._turn:
            return await self._sources.counts()

    async def _text(self, wanted: Filter) -> tuple[bytes, ...]:
        gathered = await self._gathered.get()
        pieces = [b"["]
        async with self._turn:
            for service in gathered.snapshot.services:
                if matches(wanted.service, service.name):
                    pieces += [piece async for piece in _service(service, gathered, wanted, first=len(pieces) == 1)]
        return (*pieces, b"]")


async def _service(service: ServiceView, gathered: Gathered, wanted: Filter, *, first: bool) -> AsyncIterator[bytes]:
    shown = [server for server in service.servers if wanted.takes(server)]
    if not shown and not wanted.all_servers:
        return
    head = json.dumps(shapes.service(service))
    yield f'{"" if first else ","}{head[:-1]}, "servers": ['.encode()
    for start in range(0, 0 if wanted.summary else len(shown), SLICE):
        some = [shapes.server(service.name, each, gathered.of(service, each)) for each in shown[start : start + SLICE]]
        yield (("," if start else "") + json.dumps(some)[1:-1]).encode()
        await asyncio.sleep(0)
    yield b"]}"
    await asyncio.sleep(0)
