"""Tells systemd what becomes of the service: ready, reloading, how it stands, stopping, and that it is alive."""

from __future__ import annotations

import asyncio
import itertools
import logging

from healthd.clock import Clock, sleep_until
from healthd.events import Bus, one_line
from healthd.systemd.notify import Notifier
from healthd.vitals import Vitals

log = logging.getLogger(__name__)

PERIOD = 5.0
"""Seconds between two looks at how everything stands; a third of the watchdog's time if that is less."""

ANYWAY = 12
"""The status is told anew at each so-manieth look, also when no event says that it has changed."""


class Service:
    """`run` tells READY, so it is to be started when the table has been read and signals are listened to."""

    def __init__(self, notifier: Notifier, clock: Clock, vitals: Vitals, bus: Bus) -> None:
        self._notifier = notifier
        self._clock = clock
        self._vitals = vitals
        self._happened = bus.subscribe(limit=1)
        self._stalled = False

    async def run(self) -> None:
        """Until it is cancelled; not at all when there is nobody to tell."""
        if not self._notifier.heard:
            return
        self.ready()
        watchdog = self._notifier.watchdog
        period = PERIOD if watchdog is None else min(PERIOD, watchdog / 3)
        for look in itertools.count():
            next_look = self._clock.monotonic() + period
            turned = self._feed()
            if self._happened.get_nowait() is not None or turned or look % ANYWAY == 0:
                await self._tell_status()
            await sleep_until(self._clock, next_look)

    def ready(self) -> None:
        """Also at the end of a reload, whether it was taken over or refused."""
        self._notifier.send("READY=1")

    def reloading(self) -> None:
        """The time tells systemd that this answers its signal, and not an earlier one: CLOCK_MONOTONIC."""
        self._notifier.send("RELOADING=1", f"MONOTONIC_USEC={int(self._clock.monotonic() * 1e6)}")

    def stopping(self, reason: str) -> None:
        self._notifier.send("STOPPING=1", f"STATUS=stopping: {one_line(reason)}")

    def _feed(self) -> bool:
        """Gives the sign of life, if there is life; whether that has changed."""
        why = self._vitals.stalled
        turned = bool(why) != self._stalled
        self._stalled = bool(why)
        if turned and why:
            log.error("healthd does not do its work, the watchdog gets no sign of life: %s", why)
        elif turned:
            log.warning("healthd does its work again")
        if not why and self._notifier.watchdog is not None:
            self._notifier.send("WATCHDOG=1")
        return turned

    async def _tell_status(self) -> None:
        slices = self._vitals.summary()
        while True:
            try:
                next(slices)
            except StopIteration as end:
                trouble = f"NOT WORKING: {why}; " if (why := self._vitals.stalled) else ""
                self._notifier.send(f"STATUS={trouble}{end.value}")
                return
            await asyncio.sleep(0)
