from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from healthd.clock import ManualClock
from healthd.control.status import Status
from healthd.daemon import Daemon
from tests.support.asking import Client, asking
from tests.support.daemons import OTHER, Site

READER, OPERATOR = "r" * 20, "o" * 20
TOKENS = f"# who may what\nnoc read {READER}\nalice operate {OPERATOR}\n"


class ControlledSite(Site):
    """Two services: web with two servers that are up, other with one."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.socket = folder / "control.sock"
        self.write("other.toml", OTHER)

    def control(self, text: str) -> None:
        self.write("01-control.toml", f"[control]\n{text}\n")

    def tokens(self, text: str = TOKENS) -> Path:
        path = self.state_dir / "tokens"
        path.write_text(text)
        path.chmod(0o600)
        return path

    async def settled(self) -> None:
        """Every server has been decided on."""
        await self.until(lambda: self.table.count(" -w ") == 3)

    async def reloaded(self, daemon: Daemon) -> None:
        """Returns when the configuration has been taken over, also by what listens, which comes last."""
        daemon.reload()
        await self.told("reloaded")
        async with daemon.interface._turn:
            pass


def url(daemon: Daemon, scheme: str = "http") -> str:
    """Where it listens on TCP."""
    return f"{scheme}://{next(place for place in daemon.interface.places if not place.startswith('/'))}"


def stepped(daemon: Daemon) -> ManualClock:
    """What the control interface keeps answers by and counts by from now on. To be called before anybody asks."""
    rooms = daemon.interface._control._rooms  # type: ignore[union-attr] # it listens
    clock = ManualClock()
    object.__setattr__(rooms.sources, "clock", clock)
    rooms.status = Status(rooms.sources, rooms.ring.newest)
    return clock


@pytest.fixture
def site(tmp_path: Path) -> ControlledSite:
    return ControlledSite(tmp_path)


@pytest.fixture
async def daemon(site: ControlledSite) -> AsyncIterator[Daemon]:
    """One that all may operate who come by the socket."""
    async with site.running() as daemon:
        await site.settled()
        yield daemon


@pytest.fixture
async def client(site: ControlledSite, daemon: Daemon) -> AsyncIterator[Client]:
    async with asking(site.socket) as client:
        yield client


@pytest.fixture
async def with_tokens(site: ControlledSite) -> AsyncIterator[str]:
    """The URL of one that wants tokens over TCP."""
    site.control(f'listen = ["127.0.0.1:0"]\ntokens_file = "{site.tokens()}"')
    async with site.running() as daemon:
        await site.settled()
        yield url(daemon)
