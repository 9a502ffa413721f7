"""The control interface as the daemon has it: what its parts give to it, and that it costs nothing while it is off."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from healthd import __version__
from healthd.alerts.router import Router
from healthd.clock import Clock
from healthd.config.access import ControlConfig
from healthd.config.values import Config
from healthd.control.listening import places
from healthd.control.sources import About, Sources, TableView
from healthd.controller import Controller
from healthd.events import Bus
from healthd.ipvs import Ipvs
from healthd.ipvs.counting import counted
from healthd.measuring import Measuring
from healthd.operators.operator import Operator
from healthd.page import Page
from healthd.pushes import Pushes
from healthd.reconcile import Reconciler
from healthd.schedulerview import SchedulerView
from healthd.showing import ShownAlerts, ShownHistory
from healthd.vitals import Vitals

if TYPE_CHECKING:
    from healthd.control.server import Control


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The daemon's parts that are shown and told; `config` and `generation` are those of the moment."""

    clock: Clock
    bus: Bus
    controller: Controller
    reconciler: Reconciler
    operator: Operator
    ipvs: Ipvs
    vitals: Vitals
    config: Callable[[], Config]
    generation: Callable[[], int]
    alerts: Router
    scheduler: Callable[[], SchedulerView]
    measuring: Measuring
    pushes: Pushes

    def sources(self) -> Sources:
        started, began = self.clock.wall(), self.clock.monotonic()
        host, pid = socket.gethostname(), os.getpid()
        return Sources(
            clock=self.clock,
            bus=self.bus,
            about=lambda: About(__version__, host, pid, started, self.clock.monotonic() - began, self.generation()),
            snapshot=self.controller.snapshot_slices,
            services=lambda: {service.name: service for service in self.config().services},
            table=self._table,
            scheduler=self.scheduler,
            stalled=lambda: self.vitals.stalled,
            unready=lambda: "; ".join(self.reconciler.errors),
            operator=self.operator,
            counts=lambda: counted(self.ipvs),
            history=ShownHistory(self.measuring.history) if self.measuring.history else None,
            alerts=ShownAlerts(self.alerts),
            metrics=self.measuring.pieces,
            page=Page().file,
            reports=self.pushes.report,
        )

    def _table(self) -> TableView:
        age = self.clock.monotonic() - self.reconciler.answered_at
        pending = tuple(map(str, self.reconciler.pending))
        return TableView(self.config().settings.table, self.reconciler.errors, age, pending)


class Interface:
    """Is only there, and its libraries are only imported, from when a configuration says where to listen."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._control: Control | None = None
        self._made = asyncio.Event()

    @property
    def places(self) -> tuple[str, ...]:
        """Where it listens: paths, and addresses with their ports."""
        return self._control.places if self._control else ()

    @asynccontextmanager
    async def changing(self, config: ControlConfig) -> AsyncIterator[None]:
        """Makes what `config` needs, and takes it over when what is done inside has succeeded.

        Raises:
            ControlUnavailable: something of it cannot be made; then nothing has changed.
        """
        if self._control is None and list(places(config)):
            server = await asyncio.to_thread(import_module, "healthd.control.server")
            self._control = server.Control(self._parts.sources())
        if self._control is None:
            yield
            return
        prepared = await self._control.prepare(config)
        try:
            yield
        except BaseException:
            prepared.abandon()
            raise
        await self._control.take(prepared)
        self._made.set()

    async def run(self) -> None:
        """Answers until it is cancelled."""
        await self._made.wait()
        if self._control is not None:
            await self._control.run()
