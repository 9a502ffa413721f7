"""A daemon over a folder of files and a table in memory, for its tests."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from healthd.clock import Clock
from healthd.config import load
from healthd.daemon import Daemon
from healthd.events import Event
from healthd.ipvs.memory import MemoryIpvs

PATIENCE = 60  # seconds that anything may take on a busy machine

SETTINGS = """
[healthd]
table = "memory"
state_dir = "{state}"
resync = "200ms"
on_exit = "{on_exit}"

[defaults]
interval = "100ms"
fast_interval = "50ms"
timeout = "50ms"
fall = 1
rise = 1
"""
WEB = """
[service.web]
virtual = "192.168.7.110:80"
check = {{ type = "always", state = "{state}" }}
server = [{{ address = "10.0.0.1", weight = {weight} }}, {{ address = "10.0.0.2" }}]
"""
OTHER = """
[service.other]
virtual = "192.168.7.111:80"
check = { type = "always", interval = "1s" }
server = [{ address = "10.0.0.1" }]
"""


class Site:
    """A configuration folder, a table in memory, and a daemon over both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "conf.d"
        self.folder.mkdir()
        self.state_dir = folder
        self.ipvs = MemoryIpvs()
        self.daemon: type[Daemon] = Daemon
        self.events: list[Event] = []
        self.settings()
        self.web()

    def settings(self, on_exit: str = "keep") -> None:
        self.write("00.toml", SETTINGS.format(state=self.state_dir, on_exit=on_exit))

    def web(self, *, state: str = "up", weight: int = 1) -> None:
        self.write("web.toml", WEB.format(state=state, weight=weight))

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    @asynccontextmanager
    async def running(self, clock: Clock | None = None) -> AsyncIterator[Daemon]:
        """Stopped at the end, if it has not been by then."""
        daemon = self.daemon(load(self.folder), self.folder, self.ipvs, clock)
        told = daemon.bus.subscribe()
        listening = asyncio.create_task(self._listen(told.get))
        running = asyncio.create_task(daemon.run())
        try:
            await self.told("started")
            # It listens by then, and every part of it runs.
            await self.until(lambda: signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL)
            yield daemon
            daemon.stop("the test is over")
            await asyncio.wait_for(running, PATIENCE)
        finally:
            listening.cancel()
            running.cancel()
            await asyncio.gather(listening, running, return_exceptions=True)

    async def _listen(self, get: Callable[[], object]) -> None:
        while True:
            event = await get()  # type: ignore[misc] # a subscription's `get`
            self.events.append(event)

    async def told(self, kind: str) -> Event:
        """The next event of a kind; it is taken out of the list with all that came before it."""
        await self.until(lambda: any(event.kind == kind for event in self.events))
        while (event := self.events.pop(0)).kind != kind:
            pass
        return event

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110 - the table tells nobody when it changes
                await asyncio.sleep(0.01)

    @property
    def table(self) -> str:
        return repr(self.ipvs.read())
