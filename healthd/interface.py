"""The control interface as the daemon has it: what its parts give to it, and that it costs nothing while it is off."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from healthd import __version__
from healthd.alerts.router import Router
from healthd.clock import Clock, sleep_until
from healthd.config.access import ControlConfig
from healthd.config.values import Config
from healthd.control.listening import ControlUnavailable, Prepared, places
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

log = logging.getLogger(__name__)

AGAIN = 5.0
"""Seconds between two looks at a disk that was read-only."""


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

    def sources(self, started: float, began: float) -> Sources:
        """`started` and `began` are when the daemon did, by the wall clock and in monotonic seconds."""
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
        self._began = parts.clock.wall(), parts.clock.monotonic()
        self._control: Control | None = None
        self._made = asyncio.Event()
        self._turn = asyncio.Lock()
        self._due: ControlConfig | None = None
        """What it is to listen on and does not, because the socket's disk is read-only."""
        self._is_due = asyncio.Event()
        self._trouble = ""

    @property
    def places(self) -> tuple[str, ...]:
        """Where it listens: paths, and addresses with their ports."""
        return self._control.places if self._control else ()

    @asynccontextmanager
    async def changing(self, config: ControlConfig) -> AsyncIterator[None]:
        """Makes what `config` needs, and takes it over when what is done inside has succeeded.

        A socket on a disk that is read-only is left out until that can be written: such a disk costs the commands,
        never the checks.

        Raises:
            ControlUnavailable: something of it cannot be made; then nothing has changed.
        """
        async with self._turn:
            left_out = await _is_on_read_only_disk(config.socket)
            if left_out:
                consequence = "commands do not reach healthd until it can be written"
                log.error("control: %s cannot be made, the disk is read-only; %s", config.socket, consequence)
            prepared = await self._prepared(replace(config, socket=None) if left_out else config)
            try:
                yield
            except BaseException:
                if prepared is not None:
                    prepared.abandon()
                raise
            await self._take(prepared, due=config if left_out else None)

    async def _prepared(self, config: ControlConfig) -> Prepared | None:
        """None where there is nothing to listen on, and never was."""
        if self._control is None and list(places(config)):
            server = await asyncio.to_thread(import_module, "healthd.control.server")
            self._control = server.Control(self._parts.sources(*self._began))
        return await self._control.prepare(config) if self._control is not None else None

    async def _take(self, prepared: Prepared | None, *, due: ControlConfig | None) -> None:
        if self._control is not None and prepared is not None:
            await self._control.take(prepared)
            self._made.set()
        self._due, self._trouble = due, ""
        if due is not None:
            self._is_due.set()
        else:
            self._is_due.clear()

    async def run(self) -> None:
        """Answers until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._answer())
            group.create_task(self._make_up())

    async def _answer(self) -> None:
        await self._made.wait()
        if self._control is not None:
            await self._control.run()

    async def _make_up(self) -> None:
        """Listens on what was left out, once its disk can be written."""
        while True:
            await self._is_due.wait()
            await sleep_until(self._parts.clock, self._parts.clock.monotonic() + AGAIN)
            async with self._turn:
                if self._due is not None and not await _is_on_read_only_disk(self._due.socket):
                    await self._try_again(self._due)

    async def _try_again(self, due: ControlConfig) -> None:
        try:
            await self._take(await self._prepared(due), due=None)
        except ControlUnavailable as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                log.error("%s", error)  # noqa: TRY400 - the cause is clear


async def _is_on_read_only_disk(place: Path | None) -> bool:
    return place is not None and await asyncio.to_thread(_is_read_only, place.parent)


def _is_read_only(folder: Path) -> bool:
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return False
