"""The parts of the daemon, each made of the others that it is handed, and the configuration that they go by now.

    config -> plan -> scheduler -> controller -> reconciler -> table
                                       |
                                     events -> log, alerts, history, metrics
                                       |
                      operators -> control interface

The parts know nothing of each other beyond what they are handed here.
"""

from __future__ import annotations

import gc
import logging
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from healthd import __version__, descriptors, events, plan
from healthd.alerts.router import Router
from healthd.clock import Clock
from healthd.config import Config
from healthd.config.values import Settings
from healthd.controller import Controller
from healthd.events import Bus
from healthd.interface import Interface, Parts
from healthd.ipvs import Ipvs
from healthd.log import EventLog
from healthd.measuring import Measured, Measuring
from healthd.operators.operating import Operating
from healthd.operators.operator import Means
from healthd.operators.rehearsal import Rehearsal
from healthd.pushes import Pushes
from healthd.reconcile import Reconciler
from healthd.scheduler import SWITCH_INTERVAL, Scheduler
from healthd.showing import ShownAlerts
from healthd.systemd.notify import Notifier
from healthd.systemd.service import Service
from healthd.vitals import Vitals
from healthd.workers.pool import WorkerPool

log = logging.getLogger(__name__)

NEEDS_RESTART = ("table", "state_dir", "workers", "log_format", "log_level")


class Assembly:
    """`ask_reload` has the daemon read its configuration anew."""

    def __init__(
        self,
        config: Config,
        path: Path,
        ipvs: Ipvs,
        clock: Clock,
        notifier: Notifier,
        ask_reload: Callable[[], None],
    ) -> None:
        self.config = config
        self.generation = 1
        self.clock = clock
        self.ipvs = ipvs
        self.bus = Bus()
        self.plan = plan.make(config)
        self.reconciler = Reconciler(ipvs, clock, self.bus, resync=config.settings.resync)
        self.reconciler.names = self.plan.names
        self.controller = Controller(self.plan, clock, self.bus, self.reconciler.submit)
        self.scheduler = self._engine(config.settings)
        self.pushes = Pushes(clock, self.controller.report)
        self.vitals = Vitals(clock, self.controller, self.reconciler)
        self.router = self._router()
        self.operating = Operating(self._means(path, ask_reload), config.settings.state_dir)
        self.log = EventLog(self.bus)
        self.service = Service(notifier, clock, self.vitals, self.bus)
        self.measuring = Measuring(self._measured())
        self.interface = Interface(self._parts())

    def _engine(self, settings: Settings) -> Scheduler | WorkerPool:
        if settings.workers:
            return WorkerPool(self.clock, self.controller, self.bus.publish, settings=settings)
        return Scheduler(self.clock, self.controller.record, descriptors.for_checks())

    def _router(self) -> Router:
        spool, host = self.config.settings.state_dir / "spool", socket.gethostname()
        alerts, stalled = self.config.alerts, lambda: self.vitals.stalled
        router = Router(self.bus, alerts, self.clock, host, spool=spool, stalled=stalled)
        router.update(alerts, self.config.services)
        return router

    def _means(self, path: Path, ask_reload: Callable[[], None]) -> Means:
        rehearsal = Rehearsal(path, lambda: self.plan, self.controller, self.reconciler, self.ipvs)
        return Means(
            clock=self.clock,
            bus=self.bus,
            controller=self.controller,
            reconciler=self.reconciler,
            ipvs=self.ipvs,
            check_now=self.scheduler.check_now,
            reload=ask_reload,
            preview=rehearsal.of,
            test_alerts=ShownAlerts(self.router).test,
        )

    def _measured(self) -> Measured:
        return Measured(
            clock=self.clock,
            bus=self.bus,
            controller=self.controller,
            reconciler=self.reconciler,
            ipvs=self.ipvs,
            alerts=self.router,
            config=lambda: self.config,
            scheduler=lambda: self.scheduler.view,
            stalled=lambda: self.vitals.stalled,
        )

    def _parts(self) -> Parts:
        return Parts(
            clock=self.clock,
            bus=self.bus,
            controller=self.controller,
            reconciler=self.reconciler,
            operator=self.operating.operator,
            ipvs=self.ipvs,
            vitals=self.vitals,
            config=lambda: self.config,
            generation=lambda: self.generation,
            alerts=self.router,
            scheduler=lambda: self.scheduler.view,
            measuring=self.measuring,
            pushes=self.pushes,
        )

    def start(self) -> None:
        """Takes over the table as it is.

        Raises:
            IpvsUnavailable: it cannot be read; nothing has been done then.

        """
        self.operating.start(self.plan, self.ipvs.read(self.plan.keys))
        self._set_jobs()
        servers = sum(len(service.servers) for service in self.plan.services.values())
        self.bus.publish(
            events.Started(at=self.clock.wall(), version=__version__, services=len(self.plan.services), servers=servers)
        )
        self.operating.restore()
        # What lives as long as the daemon need not be looked through again and again: with thousands of servers that
        # would stop all checks for a noticeable time. Checks leave no cycles behind, so what is young can wait too.
        gc.collect()
        gc.freeze()
        gc.set_threshold(1_000, 10, 10)  # connections do leave some: a thousand at a time take two milliseconds
        sys.setswitchinterval(SWITCH_INTERVAL)

    def _set_jobs(self) -> None:
        unsettled = [job for job, verdict in self.controller.verdicts.items() if not verdict.settled]
        if isinstance(self.scheduler, WorkerPool):
            self.scheduler.set_settings(self.config.settings)
        asked = self.pushes.set_jobs(self.plan.jobs)
        self.scheduler.set_jobs(asked, unsettled)
        self.vitals.expect(asked)

    def take_over(self, config: Config) -> None:
        """Goes by another configuration, which is known to be good; from the reading on, nothing waits or fails.

        Raises:
            IpvsUnavailable: the table cannot be read; nothing has changed then.

        """
        new = plan.make(config)
        actual = self.ipvs.read(new.keys - self.plan.keys)
        for warning in (*config.warnings, *self._not_before_restart(config)):
            log.warning("%s", warning)
        change = self.controller.replace(new, actual)
        self.operating.operator.reloaded()
        self.reconciler.names = {**self.plan.names, **new.names}  # what is to go is called as before
        self.plan = new
        self.config = config
        self.generation += 1
        self.reconciler.resync = config.settings.resync
        self.router.update(config.alerts, config.services)
        self.measuring.reloaded()
        self._set_jobs()
        self.bus.publish(events.Reloaded(at=self.clock.wall(), changes=change.described()))

    def _not_before_restart(self, config: Config) -> list[str]:
        old, new = self.config.settings, config.settings
        changed = [f"[healthd] {name}" for name in NEEDS_RESTART if getattr(old, name) != getattr(new, name)]
        if self.config.history.file != config.history.file:
            changed.append("[history] file")
        return [f"{name} has changed: it takes effect at the next start" for name in changed]
