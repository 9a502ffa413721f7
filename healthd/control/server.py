"""The control interface as one part of the daemon: made before anything else is touched, and run beside it all."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from healthd import descriptors
from healthd.config.access import ControlConfig
from healthd.control import listening
from healthd.control.door import Door
from healthd.control.guard import Crowd, Guard
from healthd.control.listening import ControlUnavailable, Place, Prepared, bound, places
from healthd.control.rooms import Rooms
from healthd.control.sources import Sources
from healthd.model import Endpoint

log = logging.getLogger(__name__)

ACCEPTED_AT_ONCE = 16
"""New connections that are taken before everybody else has a turn: a few milliseconds."""
BACKLOG = 1024
IDLE = 30.0
"""Seconds in which the head of a request has to be there, from the connection or the end of the last answer on."""
FAREWELL = 1.0
"""Seconds that requests under way get when the daemon stops."""


@dataclass(slots=True)
class Listener:
    """A bound socket, and the server that accepts on a copy of it."""

    bound: socket.socket
    context: ssl.SSLContext | None = None
    server: asyncio.Server | None = None

    @property
    def place(self) -> str:
        name = self.bound.getsockname()
        return str(name) if isinstance(name, str) else str(Endpoint(name[0], name[1]))


class Control:
    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._rooms = Rooms(sources, ControlConfig())
        self._crowds = {local: Crowd(descriptors.for_peers()) for local in (True, False)}
        self._door = Door(self._rooms, self._crowds)
        self._listeners: dict[Place, Listener] = {}
        self._runner: web.AppRunner | None = None

    @property
    def places(self) -> tuple[str, ...]:
        """Where it listens: paths, and addresses with the ports that they really have."""
        return tuple(listener.place for listener in self._listeners.values())

    async def run(self) -> None:
        """Answers until it is cancelled; who still listens then is told of the end."""
        try:
            await self._rooms.ring.run()
        finally:
            await self._close()

    async def prepare(self, config: ControlConfig) -> Prepared:
        """Makes what `config` needs beside what there is.

        Raises:
            ControlUnavailable: something of it cannot be made; then nothing has changed.
        """
        if config.tokens is None:
            raise ControlUnavailable(f"control.tokens_file: {config.tokens_file} cannot be read: Permission denied")
        context = await asyncio.to_thread(listening.tls, config)
        prepared = Prepared(config, context)
        try:
            for place in places(config):
                if place not in self._listeners:
                    prepared.new[place] = bound(place, config)
                elif isinstance(place, Path) and config.group != self._rooms.config.group:
                    listening.give(place, config.group)
        except ControlUnavailable:
            prepared.abandon()
            raise
        return prepared

    async def take(self, prepared: Prepared) -> None:
        """From now on as it was prepared. Connections that there are go on, with the rights that they have now."""
        wanted = set(places(prepared.config))
        for place in [place for place in self._listeners if place not in wanted]:
            await self._stop(place)
        self._rooms.config = prepared.config
        for place, made in prepared.new.items():
            self._listeners[place] = Listener(made)
        for place, listener in self._listeners.items():
            context = None if isinstance(place, Path) else prepared.context
            if listener.server is None or context is not listener.context:
                await self._serve(listener, context)
                log.info("control: listening on %s%s", listener.place, " with TLS" if context else "")

    async def _serve(self, listener: Listener, context: ssl.SSLContext | None) -> None:
        if listener.server is not None:
            listener.server.close()
        listener.context = context
        crowd = self._crowds[listener.bound.family == socket.AF_UNIX]
        http = await self._protocols()
        copy = listener.bound.dup()
        loop = asyncio.get_running_loop()
        make = lambda: Guard(http(), crowd, self._sources.clock)  # noqa: E731 - said where it is used
        if copy.family == socket.AF_UNIX:
            listener.server = await loop.create_unix_server(make, sock=copy, backlog=ACCEPTED_AT_ONCE)
        else:
            listener.server = await loop.create_server(make, sock=copy, ssl=context, backlog=ACCEPTED_AT_ONCE)
        copy.listen(BACKLOG)  # asyncio's backlog is also how many it accepts in one go

    async def _protocols(self) -> web.Server:
        """The factory of what speaks HTTP on a connection; the same for all listeners."""
        if self._runner is None:
            runner = web.AppRunner(
                self._door.application(),
                access_log=None,
                logger=_logger(),
                keepalive_timeout=IDLE,
                lingering_time=1.0,
                shutdown_timeout=FAREWELL,
                handler_cancellation=True,
            )
            await runner.setup()
            self._runner = runner
        server = self._runner.server
        if server is None:
            raise RuntimeError("the runner has been set up")
        return server

    async def _stop(self, place: Place) -> None:
        listener = self._listeners.pop(place)
        if isinstance(place, Path):
            place.unlink(missing_ok=True)
        if listener.server is not None:
            listener.server.close()
        listener.bound.close()

    async def _close(self) -> None:
        self._rooms.ring.close()
        for place in list(self._listeners):
            await self._stop(place)
        if self._runner is not None:
            await self._runner.cleanup()
        self._rooms.status.close()


def _logger() -> logging.Logger:
    """For what goes wrong here; that somebody sends what is no HTTP would let them fill the log."""
    found = logging.getLogger(f"{__name__}.http")
    found.addFilter(_ours)
    return found


def _ours(record: logging.LogRecord) -> bool:
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or not issubclass(kind, HttpProcessingError)
