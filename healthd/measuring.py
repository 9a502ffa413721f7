"""What the daemon keeps and counts of itself: the history, where one is wanted, and what its metrics are made of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from healthd import __version__
from healthd.alerts.router import Router
from healthd.clock import Clock
from healthd.config.values import Config, HistoryConfig
from healthd.controller import Controller
from healthd.events import Bus
from healthd.history.store import Retention
from healthd.history.writer import History
from healthd.ipvs import Ipvs, IpvsUnavailable
from healthd.ipvs.counting import counted
from healthd.metrics.daemon import ChannelCounts, EventCounter, Inside
from healthd.metrics.page import Metrics
from healthd.model import Counts
from healthd.reconcile import Reconciler
from healthd.schedulerview import SchedulerView


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The parts that are looked at; functions give what is so at the moment."""

    clock: Clock
    bus: Bus
    controller: Controller
    reconciler: Reconciler
    ipvs: Ipvs
    alerts: Router
    config: Callable[[], Config]
    scheduler: Callable[[], SchedulerView]
    stalled: Callable[[], str]


class Measuring:
    """Listens from its construction on."""

    def __init__(self, of: Measured) -> None:
        self._of = of
        self._started = self._loaded = of.clock.wall()
        self._counter = EventCounter(of.bus)
        self._metrics = Metrics(self._counter, of.controller.snapshot_slices, self._inside, self._counts)
        wanted = of.config().history
        self.history = (
            History(wanted.file, _retention(wanted), of.clock, of.bus, of.controller.taken_latencies)
            if wanted.file
            else None
        )

    def pieces(self) -> AsyncIterator[bytes]:
        """The page of metrics."""
        return self._metrics.pieces()

    def reloaded(self) -> None:
        """Takes up a configuration that was taken over. Another file waits for the next start."""
        self._loaded = self._of.clock.wall()
        if self.history is not None:
            self.history.keep = _retention(self._of.config().history)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._counter.run())
            if self.history is not None:
                group.create_task(self.history.run())

    def _inside(self) -> Inside:
        past = self.history.view if self.history else None
        return Inside(
            version=__version__,
            started=self._started,
            loaded=self._loaded,
            alive=not self._of.stalled(),
            scheduler=self._of.scheduler(),
            refused=len(self._of.reconciler.errors),
            frozen=self._of.controller.frozen is not None,
            history_error=bool(past and past.error),
            history_dropped=past.dropped if past else 0,
            channels=[
                ChannelCounts(view.name, view.queue, view.sent, view.failed, view.held_back)
                for view in self._of.alerts.view
            ],
        )

    async def _counts(self) -> Counts:
        """Nothing where the table cannot be read."""
        try:
            return await counted(self._of.ipvs, frozenset(self._of.controller.desired.services))
        except IpvsUnavailable:
            return {}


def _retention(wanted: HistoryConfig) -> Retention:
    return Retention(
        events=wanted.keep_events,
        minutes=wanted.keep_minutes,
        hours=wanted.keep_hours,
        days=wanted.keep_days,
        size=wanted.max_size,
    )
