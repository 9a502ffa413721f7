from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from healthd.clock import ManualClock
from healthd.interface import AGAIN
from tests.support.asking import asking
from tests.support.daemons import PATIENCE, Site
from tests.support.disks import Disk, small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk") as made:
        made.make_read_only()
        yield made


@pytest.fixture
def site(tmp_path: Path, disk: Disk) -> Site:
    """Its state is on a disk that is read-only."""
    made = Site(tmp_path)
    made.state_dir = disk.path
    made.settings()
    return made


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [text for text in caplog.messages if text.startswith("control")]


async def step(clock: ManualClock, times: int = 3) -> None:
    """A thread looks at the disk at every step, and gets some time for it."""
    for _ in range(times):
        await clock.advance(AGAIN)
        await asyncio.sleep(0.02)


async def step_until(clock: ManualClock, condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await step(clock, 1)


async def test_a_socket_appears_when_its_disk_can_be_written(
    site: Site, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    """By itself, within seconds; that it is missing, and that it is there, is said once. The daemon is no younger."""
    caplog.set_level(logging.INFO)
    clock = ManualClock()
    socket = disk.path / "control.sock"
    consequence = "commands do not reach healthd until it can be written"
    missing = f"control: {socket} cannot be made, the disk is read-only; {consequence}"
    async with site.running(clock) as daemon:
        await step(clock)
        assert daemon.interface.places == ()
        assert said(caplog) == [missing]
        disk.make_writable()
        await step_until(clock, lambda: daemon.interface.places == (str(socket),) and socket.is_socket())
        await step(clock)
        async with asking(socket) as client:
            uptime = (await client.get("/api/v1/status")).json["uptime"]
    assert uptime >= 6 * AGAIN
    assert said(caplog) == [missing, f"control: listening on {socket}"]


async def test_what_cannot_be_made_then_is_said_once_and_tried_on(
    site: Site, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody's file is in its place, until it is not."""
    clock = ManualClock()
    socket = disk.path / "control.sock"
    async with site.running(clock) as daemon:
        disk.make_writable()
        socket.write_text("in the way")
        await step_until(clock, lambda: len(said(caplog)) == 2)
        await step(clock)
        assert len(said(caplog)) == 2
        assert said(caplog)[1].startswith(f"control.socket: {socket} ")
        socket.unlink()
        await step_until(clock, lambda: daemon.interface.places == (str(socket),))


@pytest.mark.parametrize("listen", ["", '["127.0.0.1:0"]'])
async def test_a_reload_ends_the_waiting(site: Site, disk: Disk, listen: str) -> None:
    """Who wants no socket any more gets none; what else is listened on stays."""
    clock = ManualClock()
    also = f"listen = {listen}\n" if listen else ""
    site.write("control.toml", f"[control]\n{also}")
    async with site.running(clock) as daemon:
        before = daemon.interface.places
        assert len(before) == bool(listen)
        site.write("control.toml", f'[control]\nsocket = "off"\n{also}')
        daemon.reload()
        await site.told("reloaded")
        disk.make_writable()
        await step(clock)
        assert daemon.interface.places == before
        site.write("control.toml", f"[control]\n{also}")
        daemon.reload()
        await site.told("reloaded")
        await site.until(lambda: daemon.interface.places == (*before, str(disk.path / "control.sock")))
