"""The control interface as one part of the daemon: made before anything else is touched, and run beside it all.

It listens from the beginning, but what speaks HTTP is only imported when somebody comes: a daemon that nobody asks is
smaller by a quarter.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import ssl
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from healthd import descriptors
from healthd.config.access import ControlConfig
from healthd.control import listening
from healthd.control.accepting import BACKLOG, Acceptor, Pace
from healthd.control.guard import Crowd, Guard
from healthd.control.listening import ControlUnavailable, Place, Prepared, bound, places
from healthd.control.rooms import Rooms
from healthd.control.sources import Sources
from healthd.model import Endpoint

if TYPE_CHECKING:
    from aiohttp import web

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Listener:
    """A bound socket, and who takes connections on it once somebody has come."""

    bound: socket.socket
    context: ssl.SSLContext | None = None
    acceptor: Acceptor | None = None

    @property
    def place(self) -> str:
        name = self.bound.getsockname()
        return str(name) if isinstance(name, str) else str(Endpoint(name[0], name[1]))


class Control:
    def __init__(self, sources: Sources) -> None:
        self._clock = sources.clock
        self._pace = Pace(sources.clock)
        self._rooms = Rooms(sources, ControlConfig())
        self._crowds = {local: Crowd(descriptors.for_peers()) for local in (True, False)}
        self._listeners: dict[Place, Listener] = {}
        self._runner: web.AppRunner | None = None
        self._somebody_came = asyncio.Event()
        self._turn = asyncio.Lock()

    @property
    def places(self) -> tuple[str, ...]:
        """Where it listens: paths, and addresses with the ports that they really have."""
        return tuple(listener.place for listener in self._listeners.values())

    async def run(self) -> None:
        """Answers until it is cancelled; who still listens then is told of the end."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._rooms.ring.run())
                group.create_task(self._begin())
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
        async with self._turn:
            await self._take(prepared)

    async def _take(self, prepared: Prepared) -> None:
        wanted = set(places(prepared.config))
        for place in [place for place in self._listeners if place not in wanted]:
            await self._stop(place)
        self._rooms.config = prepared.config
        for place, made in prepared.new.items():
            self._listeners[place] = Listener(made)
        for place, listener in self._listeners.items():
            context = None if isinstance(place, Path) else prepared.context
            if place in prepared.new or context is not listener.context:
                listener.context = context
                await self._listen(listener)
                log.info("control: listening on %s%s", listener.place, " with TLS" if context else "")

    async def _listen(self, listener: Listener) -> None:
        if self._runner is not None:
            await self._serve(listener)
        else:
            listener.bound.listen(BACKLOG)
            asyncio.get_running_loop().add_reader(listener.bound, self._wake)

    def _wake(self) -> None:
        for listener in self._listeners.values():
            asyncio.get_running_loop().remove_reader(listener.bound)
        self._somebody_came.set()

    async def _begin(self) -> None:
        """Whoever has come meanwhile waits in the queue of the socket."""
        await self._somebody_came.wait()
        async with self._turn:
            await self._protocols()
            for listener in self._listeners.values():
                await self._serve(listener)

    async def _serve(self, listener: Listener) -> None:
        if listener.acceptor is not None:
            await listener.acceptor.close()
        crowd = self._crowds[listener.bound.family == socket.AF_UNIX]
        http = await self._protocols()
        listener.acceptor = Acceptor(
            listener.bound, listener.context, lambda: Guard(http(), crowd, self._clock), self._pace, self._clock
        )

    async def _protocols(self) -> web.Server:
        """The factory of what speaks HTTP on a connection; the same for all listeners."""
        if self._runner is None:
            speaking = await asyncio.to_thread(import_module, "healthd.control.speaking")
            gc.freeze()  # what was imported stays, and need not be looked through again and again
            self._runner = await speaking.runner(self._rooms, self._crowds)
        server = self._runner.server
        if server is None:
            raise RuntimeError("the runner has been set up")
        return server

    async def _stop(self, place: Place) -> None:
        listener = self._listeners.pop(place)
        asyncio.get_running_loop().remove_reader(listener.bound)
        if isinstance(place, Path):
            place.unlink(missing_ok=True)
        if listener.acceptor is not None:
            await listener.acceptor.close()
        listener.bound.close()

    async def _close(self) -> None:
        self._rooms.ring.close()
        for place in list(self._listeners):
            await self._stop(place)
        if self._runner is not None:
            await self._runner.cleanup()
        self._rooms.status.close()
