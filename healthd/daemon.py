"""What runs as `healthd run`: starts the parts, listens to signals, reloads, stops.

SIGHUP reloads, SIGTERM and SIGINT stop. How the parts hang together is in `healthd.assembly`.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from healthd import events
from healthd.assembly import Assembly
from healthd.clock import Clock, SystemClock
from healthd.config import Config, ConfigError
from healthd.config.apart import load_apart
from healthd.control.listening import ControlUnavailable
from healthd.events import Bus
from healthd.interface import Interface
from healthd.ipvs import Ipvs, IpvsUnavailable
from healthd.model import Table
from healthd.operators.operator import Operator
from healthd.systemd.notify import Notifier
from healthd.vitals import Vitals

log = logging.getLogger(__name__)

FAREWELL = 5.0
"""Seconds that alerts get to leave when the daemon stops."""


class Daemon:
    assembly: ClassVar[type[Assembly]] = Assembly

    def __init__(
        self,
        config: Config,
        path: Path,
        ipvs: Ipvs,
        clock: Clock | None = None,
        *,
        notifier: Notifier | None = None,
    ) -> None:
        self._path = path
        self._parts = self.assembly(config, path, ipvs, clock or SystemClock(), notifier or Notifier(), self.reload)
        self._stop = asyncio.Event()
        self._reload = asyncio.Event()
        self._reason = ""

    @property
    def bus(self) -> Bus:
        return self._parts.bus

    @property
    def operator(self) -> Operator:
        return self._parts.operating.operator

    @property
    def interface(self) -> Interface:
        return self._parts.interface

    @property
    def vitals(self) -> Vitals:
        return self._parts.vitals

    async def run(self) -> None:
        """Runs until it is told to stop.

        Raises:
            IpvsUnavailable: the table cannot be read at the start; nothing has been done then.
            OSError: likewise, the state folder cannot be written to.
            ControlUnavailable: likewise, healthd cannot listen where it is told to.
        """
        async with self._parts.interface.changing(self._parts.config.control):
            self._parts.start()
        with self._signals():
            async with asyncio.TaskGroup() as group:
                listening = [
                    group.create_task(part)
                    for part in (
                        self._parts.log.run(),
                        self._parts.router.run(),
                        self._parts.measuring.run(),
                        self._parts.interface.run(),
                    )
                ]
                working = [
                    group.create_task(part)
                    for part in (
                        self._parts.reconciler.run(),
                        self._parts.scheduler.run(),
                        self._parts.pushes.run(),
                        self._parts.service.run(),
                        self._parts.operating.run(),
                        self._reload_when_asked(),
                    )
                ]
                await self._stop.wait()
                self._parts.service.stopping(self._reason)
                _cancel(working)  # before the farewell: no outcome may bring back what is withdrawn
                self._withdraw()
                await self._parts.operating.close()
                self._parts.bus.publish(events.Stopped(at=self._parts.clock.wall(), reason=self._reason))
                await self._parts.router.close(FAREWELL)
                _cancel(listening)
        self._parts.ipvs.close()

    def stop(self, reason: str) -> None:
        self._reason = reason
        self._stop.set()

    def reload(self) -> None:
        self._reload.set()

    def _withdraw(self) -> None:
        if self._parts.config.settings.on_exit == "withdraw" and self._parts.reconciler.frozen:
            log.warning('on_exit = "withdraw" is left out: the table is frozen by an operator')
        elif self._parts.config.settings.on_exit == "withdraw":
            self._parts.reconciler.submit(Table(), self._parts.plan.keys)
            self._parts.reconciler.converge()

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
            self._parts.service.reloading()
            try:
                config = await asyncio.to_thread(load_apart, self._path)
                async with self._parts.interface.changing(config.control):
                    self._parts.take_over(config)
            except (ConfigError, ControlUnavailable) as error:
                self._refuse(error.messages)
            except IpvsUnavailable as error:
                self._refuse((str(error),))
            self._parts.service.ready()

    def _refuse(self, errors: tuple[str, ...]) -> None:
        self._parts.bus.publish(events.ReloadFailed(at=self._parts.clock.wall(), errors=errors))


def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
