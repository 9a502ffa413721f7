"""The composition root of `healthd run`: builds the parts, wires them, listens to signals.

    config -> plan -> scheduler -> controller -> reconciler -> table
                                       |
                                     events -> log, alerts

SIGHUP reloads, SIGTERM and SIGINT stop. The parts know nothing of each other beyond what they are handed here.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from healthd import __version__, descriptors, events, plan, statefile
from healthd.alerts.router import Router
from healthd.clock import Clock, SystemClock
from healthd.config import Config, ConfigError, load
from healthd.config.values import Settings
from healthd.controller import Controller
from healthd.events import Bus
from healthd.ipvs import Ipvs, IpvsUnavailable
from healthd.log import EventLog
from healthd.model import Table
from healthd.reconcile import Reconciler
from healthd.scheduler import Scheduler
from healthd.schedulerview import SchedulerView
from healthd.workers.pool import WorkerPool

log = logging.getLogger(__name__)

FAREWELL = 5.0
"""Seconds that alerts get to leave when the daemon stops."""

NEEDS_RESTART = ("table", "state_dir", "workers", "log_format", "log_level")


class Daemon:
    def __init__(self, config: Config, path: Path, ipvs: Ipvs, clock: Clock | None = None) -> None:
        self._config = config
        self._path = path
        self._ipvs = ipvs
        self._clock = clock or SystemClock()
        self.bus = Bus()
        self._plan = plan.make(config)
        self._reconciler = Reconciler(ipvs, self._clock, self.bus, resync=config.settings.resync)
        self._controller = Controller(self._plan, self._clock, self.bus, self._reconciler.submit)
        self._scheduler = self._engine(config.settings)
        self._log = EventLog(self.bus)
        self._router = Router(self.bus, config.alerts, self._clock, socket.gethostname())
        self._stop = asyncio.Event()
        self._reload = asyncio.Event()
        self._reason = ""

    def _engine(self, settings: Settings) -> Scheduler | WorkerPool:
        record = self._controller.record
        if settings.workers:
            return WorkerPool(
                self._clock, record, self.bus.publish, settings=settings, verdicts=lambda: self._controller.verdicts
            )
        return Scheduler(self._clock, record, descriptors.for_checks())

    @property
    def scheduler_view(self) -> SchedulerView:
        """How the checks are getting on, in this process or in all workers together."""
        return self._scheduler.view

    async def run(self) -> None:
        """Runs until it is told to stop.

        Raises:
            IpvsUnavailable: the table cannot be read at the start; nothing has been done then.
            OSError: likewise, the state folder cannot be written to.
        """
        self._startup()
        with self._signals():
            async with asyncio.TaskGroup() as group:
                listening = [group.create_task(part) for part in (self._log.run(), self._router.run())]
                working = [
                    group.create_task(part)
                    for part in (self._reconciler.run(), self._scheduler.run(), self._reload_when_asked())
                ]
                await self._stop.wait()
                _cancel(working)  # before the farewell: no outcome may bring back what is withdrawn
                self._withdraw()
                self.bus.publish(events.Stopped(at=self._clock.wall(), reason=self._reason))
                await self._router.close(FAREWELL)
                _cancel(listening)
        self._ipvs.close()

    def stop(self, reason: str) -> None:
        self._reason = reason
        self._stop.set()

    def reload(self) -> None:
        self._reload.set()

    def _startup(self) -> None:
        self._controller.start(self._ipvs.read(self._plan.keys))
        statefile.path_in(self._config.settings.state_dir).unlink(missing_ok=True)
        self._set_jobs()
        servers = sum(len(service.servers) for service in self._plan.services.values())
        self.bus.publish(
            events.Started(
                at=self._clock.wall(),
                version=__version__,
                services=len(self._plan.services),
                servers=servers,
            )
        )
        # What lives as long as the daemon need not be looked through again and again: with thousands of servers that
        # would stop all checks for a noticeable time. Checks leave no cycles behind, so what is young can wait too.
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 10, 10)

    def _set_jobs(self) -> None:
        unsettled = [job for job, verdict in self._controller.verdicts.items() if not verdict.settled]
        if isinstance(self._scheduler, WorkerPool):
            self._scheduler.set_settings(self._config.settings)
        self._scheduler.set_jobs(self._plan.jobs, unsettled)

    def _withdraw(self) -> None:
        if self._config.settings.on_exit == "withdraw":
            self._reconciler.submit(Table(), self._plan.keys)
            self._reconciler.converge()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self.reload)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop, signal.Signals(number).name)
        try:
            yield
        finally:
            for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    async def _reload_when_asked(self) -> None:
        while True:
            await self._reload.wait()
            self._reload.clear()
            try:
                config = await asyncio.to_thread(load, self._path)
                self._take_over(config)
            except ConfigError as error:
                self._refuse(error.messages)
            except IpvsUnavailable as error:
                self._refuse((str(error),))

    def _refuse(self, errors: tuple[str, ...]) -> None:
        self.bus.publish(events.ReloadFailed(at=self._clock.wall(), errors=errors))

    def _take_over(self, config: Config) -> None:
        """Everything is known to be good; from the reading of the table on, nothing here waits or fails."""
        new = plan.make(config)
        actual = self._ipvs.read(new.keys - self._plan.keys)
        for warning in (*config.warnings, *self._not_before_restart(config)):
            log.warning("%s", warning)
        change = self._controller.replace(new, actual)
        self._plan = new
        self._config = config
        self._reconciler.resync = config.settings.resync
        self._router.update(config.alerts)
        self._set_jobs()
        self.bus.publish(events.Reloaded(at=self._clock.wall(), changes=change.described()))

    def _not_before_restart(self, config: Config) -> list[str]:
        old, new = self._config.settings, config.settings
        changed = [name for name in NEEDS_RESTART if getattr(old, name) != getattr(new, name)]
        return [f"[healthd] {name} has changed: it takes effect at the next start" for name in changed]


def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
