"""Which alert wants which event. One `Router` per daemon; each alert then goes its own way in its `Channel`."""

from __future__ import annotations

import asyncio
import fnmatch
import logging
from collections.abc import Iterable

from healthd.alerts.channel import Channel
from healthd.alerts.command import CommandSink
from healthd.alerts.sink import Sink
from healthd.clock import Clock, Deadline
from healthd.config.values import AlertConfig, CommandConfig, MailConfig
from healthd.events import Bus, Event

log = logging.getLogger(__name__)


def wants(alert: AlertConfig, event: Event) -> bool:
    """By kind, and by the glob patterns of services; an event without a service is for alerts of all services."""
    if event.kind not in alert.events:
        return False
    if not event.service:
        return "*" in alert.services
    return any(fnmatch.fnmatchcase(event.service, pattern) for pattern in alert.services)


class Router:
    """Listens from its construction on. `host` is this machine's name, for people."""

    def __init__(self, bus: Bus, alerts: Iterable[AlertConfig], clock: Clock, host: str) -> None:
        self._subscription = bus.subscribe()
        self._dropped = 0
        self._clock = clock
        self._host = host
        self._channels: dict[str, Channel] = {}
        self._leaving: list[Channel] = []
        self.update(alerts)

    def update(self, alerts: Iterable[AlertConfig]) -> None:
        """From now on `alerts`. What was collected for one that is gone is sent, in one last try."""
        self._route_pending()  # what happened before a reload is routed by the old rules
        before, self._channels = self._channels, {}
        for alert in alerts:
            channel = before.pop(alert.name, None)
            if channel is None:
                channel = Channel(alert, self._sink, self._clock)
            elif channel.config != alert:
                channel.reconfigure(alert)
            self._channels[alert.name] = channel
        for channel in before.values():
            channel.finish()
        self._leaving = [channel for channel in (*self._leaving, *before.values()) if _busy(channel)]

    async def run(self) -> None:
        """Routes events until it is cancelled."""
        while True:
            self._route(await self._subscription.get())

    async def close(self, seconds: float) -> None:
        """Routes what has been published, tries everything pending once more, and ends within `seconds`."""
        self._route_pending()
        channels = [*self._channels.values(), *self._leaving]
        for channel in channels:
            channel.finish()
        try:
            async with Deadline(self._clock, seconds):
                while tasks := [channel.task for channel in channels if channel.task and not channel.task.done()]:
                    await asyncio.wait(tasks)
        except TimeoutError:
            for channel in channels:
                channel.abandon()
            await asyncio.gather(*(channel.task for channel in channels if channel.task), return_exceptions=True)

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
            if wants(channel.config, event):
                channel.put(event)

    def _sink(self, alert: AlertConfig) -> Sink:
        match alert.sink:
            case MailConfig() as mail:
                from healthd.alerts.mail import MailSink  # noqa: PLC0415 - with all of `email` slow to import

                return MailSink(mail, self._clock, self._host)
            case CommandConfig() as command:
                return CommandSink(command, self._clock, self._host)


def _busy(channel: Channel) -> bool:
    return channel.task is not None and not channel.task.done()
