"""Hands events to the alerts. One `Router` per daemon; each alert then goes its own way in its `Channel`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from healthd.alerts.channel import Channel
from healthd.alerts.sinks import make_sink
from healthd.alerts.spool import Spool
from healthd.alerts.view import ChannelView, Trying
from healthd.clock import Clock, Deadline
from healthd.config.values import AlertConfig, ServiceConfig
from healthd.events import Bus, Event

log = logging.getLogger(__name__)

SLICE = 10
"""Events that are routed before the event loop has its turn."""

RESTORE_SECONDS = 5.0
"""How long the first event waits for a slow disk to say what an earlier life of healthd left there."""


class Router:
    """Listens from its construction on. `host` is this machine's name, for people; `spool` a folder for what waits.

    While `stalled` says what does not advance, no alert gives a sign of life.
    """

    def __init__(
        self,
        bus: Bus,
        alerts: Iterable[AlertConfig],
        clock: Clock,
        host: str,
        *,
        spool: Path | None = None,
        stalled: Callable[[], str] = str,
    ) -> None:
        self._bus = bus
        self._subscription = bus.subscribe()
        self._dropped = 0
        self._clock = clock
        self._host = host
        self._spool = spool
        self._stalled = stalled
        self._running = False
        self._servers: Mapping[str, Collection[str]] | None = None
        self._channels: dict[str, Channel] = {}
        self._leaving: list[Channel] = []
        self.update(alerts)

    @property
    def view(self) -> tuple[ChannelView, ...]:
        return tuple(channel.view for channel in self._channels.values())

    def update(self, alerts: Iterable[AlertConfig], services: Iterable[ServiceConfig] | None = None) -> None:
        """From now on `alerts`. What was collected for one that is gone is sent, in one last try.

        Failures of what is not in `services` any more are told to be over.
        """
        self._route_pending()  # what happened before a reload is routed by the old rules
        before, self._channels = self._channels, {}
        for alert in alerts:
            channel = before.pop(alert.name, None)
            if channel is None:
                channel = self._new(alert)
            elif channel.config != alert:
                channel.reconfigure(alert)
            self._channels[alert.name] = channel
        for channel in before.values():
            channel.finish()
        self._leaving = [channel for channel in (*self._leaving, *before.values()) if channel.delivery.busy]
        if services is not None:
            self._servers = {each.name: {str(server.endpoint) for server in each.servers} for each in services}
            self._retire()

    def _new(self, alert: AlertConfig) -> Channel:
        channel = Channel(
            alert,
            lambda config: make_sink(config, self._clock, self._host),
            self._clock,
            host=self._host,
            tell=self._bus.publish,
            spool=Spool(self._spool / alert.name) if self._spool else None,
        )
        if self._running:
            channel.begin(self._stalled)
        return channel

    def _retire(self) -> None:
        if self._running and self._servers is not None:
            for channel in self._channels.values():
                channel.retire(self._servers)

    async def run(self) -> None:
        """Takes up what an earlier life left, and routes events until it is cancelled."""
        await self._restore()
        self._running = True
        for channel in self._channels.values():
            channel.begin(self._stalled)
        self._retire()
        while True:
            self._route(await self._subscription.get())
            for _ in range(SLICE):
                if (event := self._subscription.get_nowait()) is None:
                    break
                self._route(event)
            await asyncio.sleep(0)

    async def _restore(self) -> None:
        try:
            async with Deadline(self._clock, RESTORE_SECONDS):
                for channel in self._channels.values():
                    await channel.restore()
        except TimeoutError:
            log.error("alerts: %s does not answer; what waits there is left to the next start", self._spool)  # noqa: TRY400 - the cause is clear

    async def test(self, name: str | None = None) -> tuple[Trying, ...]:
        """Sends a test message through the alert of this name, or through all.

        Raises:
            KeyError: there is no such alert.

        """
        chosen = list(self._channels.values()) if name is None else [self._channels[name]]
        return tuple(await asyncio.gather(*(channel.test() for channel in chosen)))

    async def close(self, seconds: float) -> None:
        """Routes what has been published, tries everything pending once more, and ends within `seconds`."""
        self._route_pending()
        channels = [*self._channels.values(), *self._leaving]
        for channel in channels:
            channel.stop()
        try:
            async with Deadline(self._clock, seconds):
                for channel in channels:
                    await channel.finished()
        except TimeoutError:
            for channel in channels:
                channel.delivery.abandon()
            tasks = [channel.delivery.task for channel in channels if channel.delivery.task]
            await asyncio.gather(*tasks, return_exceptions=True)

    def _route_pending(self) -> None:
        while (event := self._subscription.get_nowait()) is not None:
            self._route(event)

    def _route(self, event: Event) -> None:
        missed = self._subscription.dropped - self._dropped
        if missed:
            self._dropped += missed
            log.error("alerts: %d events came too fast to be routed", missed)
        for channel in self._channels.values():
            channel.missed(missed)
            channel.put(event)
