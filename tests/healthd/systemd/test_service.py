"""The daemon as systemd meets it: on a real socket, with a clock that is stepped by hand."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from healthd.clock import ManualClock
from healthd.config import load
from healthd.daemon import Daemon
from healthd.ipvs import IpvsUnavailable
from healthd.model import ServiceKey, Table
from healthd.systemd.notify import Notifier
from tests.healthd.cli.processes import COMMAND, environment
from tests.support.daemons import Site
from tests.support.reconciling import Ipvs
from tests.support.servicemanager import PATIENCE, ServiceManager


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[ServiceManager]:
    with ServiceManager(tmp_path / "notify") as manager:
        yield manager


class Watched:
    """A daemon under a watchdog of 30 s, over a table that can go out of reach."""

    def __init__(self, site: Site, systemd: ServiceManager) -> None:
        self.clock = ManualClock()
        self.ipvs = Ipvs()
        self.systemd = systemd
        notifier = Notifier(systemd.address, 30.0)
        self.daemon = Daemon(load(site.folder), site.folder, self.ipvs, self.clock, notifier=notifier)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.daemon.run())
        try:
            await self.systemd.hears("READY=1")
            yield
            self.daemon.stop("the test is over")
            await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def fed(self, seconds: float) -> int:
        """How often the watchdog is fed in this time; the clock goes in steps, each a little of real time."""
        before = self.systemd.heard("WATCHDOG=1")
        for _ in range(int(seconds / 0.5)):
            await self.clock.advance(0.5)
            self.systemd.listen()  # the kernel keeps only a few
        return self.systemd.heard("WATCHDOG=1") - before


async def test_it_says_how_everything_stands_and_that_it_lives(site: Site, systemd: ServiceManager) -> None:
    """READY, then the status with every change, and a sign of life well within the watchdog's time."""
    watched = Watched(site, systemd)
    async with watched.running():
        assert await watched.fed(30) >= 5
        assert systemd.heard("STATUS=1 service, 2 servers: 2 up; table as it should be") >= 1
    assert systemd.listen()[-1] == ["STOPPING=1", "STATUS=stopping: the test is over"]


async def test_a_watchdog_starves_while_no_check_ends(
    site: Site, systemd: ServiceManager, caplog: pytest.LogCaptureFixture
) -> None:
    """The loop turns and the table answers, and still healthd is not doing what it is there for."""
    watched = Watched(site, systemd)
    async with watched.running():
        await watched.fed(5)
        watched.daemon._parts.scheduler._disarm()  # type: ignore[union-attr]  # no timer, no check: as if it were lost
        await watched.fed(20)
        assert await watched.fed(60) == 0
        assert systemd.heard("STATUS=NOT WORKING: no check has ended for ") >= 1
        assert caplog.text.count("healthd does not do its work, the watchdog gets no sign of life") == 1
        watched.daemon._parts.scheduler._turn()  # type: ignore[union-attr]
        assert await watched.fed(30) >= 5
        assert "healthd does its work again" in caplog.text


async def test_a_watchdog_starves_while_the_table_does_not_answer(site: Site, systemd: ServiceManager) -> None:
    """Checks go on, but nothing can come of them. Once the table is back, so is the sign of life."""
    watched = Watched(site, systemd)
    async with watched.running():
        await watched.fed(5)
        watched.ipvs.out_of_reach = True
        await watched.fed(80)
        assert await watched.fed(60) == 0
        assert systemd.heard("STATUS=NOT WORKING: the table has not answered for ") >= 1
        watched.ipvs.out_of_reach = False
        await watched.fed(40)
        assert await watched.fed(30) >= 5


async def test_without_checks_the_table_alone_counts(site: Site, systemd: ServiceManager) -> None:
    """A configuration without services is no reason to be restarted."""
    (site.folder / "web.toml").unlink()
    watched = Watched(site, systemd)
    async with watched.running():
        assert await watched.fed(120) >= 20


async def test_ready_comes_after_the_first_reading_of_the_table(site: Site, systemd: ServiceManager) -> None:
    """Without a table healthd is not ready, and never says so."""

    class Nothing(Ipvs):
        def read(self, keys: frozenset[ServiceKey] | None = None) -> Table:  # noqa: ARG002 - none is to be had
            assert not systemd.listen()
            raise IpvsUnavailable("this kernel has no IPVS")

    watched = Watched(site, systemd)
    watched.daemon._parts.ipvs = Nothing()
    with pytest.raises(IpvsUnavailable):
        await watched.daemon.run()
    assert systemd.listen() == []


@pytest.mark.parametrize("good", [True, False], ids=["good", "bad"])
async def test_a_reload_begins_with_its_time_and_ends_with_ready(
    site: Site,
    systemd: ServiceManager,
    good: bool,  # noqa: FBT001 - a parameter
) -> None:
    """Type=notify-reload: RELOADING with CLOCK_MONOTONIC, then READY, also when the new files are refused."""
    watched = Watched(site, systemd)
    async with watched.running():
        if good:
            site.web(weight=5)
        else:
            site.write("web.toml", "nonsense")
        at = int(watched.clock.monotonic() * 1e6)
        watched.daemon.reload()
        await systemd.hears("READY=1", 2)
        said = [each for each in systemd.listen() if not each[0].startswith(("STATUS", "WATCHDOG"))]
        assert said == [["READY=1"], ["RELOADING=1", f"MONOTONIC_USEC={at}"], ["READY=1"]]


async def test_the_program_itself(site: Site, systemd: ServiceManager) -> None:
    """`healthd run` with systemd's environment: ready, reloaded by SIGHUP, fed, stopped by SIGTERM, status 0."""
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "run", "-c", site.folder),
        # The kernel keeps ten datagrams: fed every second, none is lost while this process is held up.
        env=environment(NOTIFY_SOCKET=systemd.address, WATCHDOG_USEC="3000000"),
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        await systemd.hears("READY=1")
        await systemd.hears("STATUS=1 service, 2 servers: ")
        process.send_signal(signal.SIGHUP)
        await systemd.hears("READY=1", 2)
        assert systemd.heard("RELOADING=1") == 1
        await systemd.hears("WATCHDOG=1", 2)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            _, log = await process.communicate()
        assert (process.returncode, systemd.heard("STOPPING=1")) == (0, 1), log.decode()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_scripts_do_not_inherit_the_socket(site: Site, systemd: ServiceManager, tmp_path: Path) -> None:
    """What a check starts cannot speak to systemd in healthd's name."""
    seen = tmp_path / "env"
    # Renamed when it is whole: the script runs again while the test reads.
    code = f"import os; open('{seen}.new', 'w').write(repr(sorted(os.environ))); os.rename('{seen}.new', '{seen}')"
    site.write("web.toml", CHECKED.format(python=sys.executable, code=code))
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "run", "-c", site.folder),
        env=environment(NOTIFY_SOCKET=systemd.address),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await systemd.hears("STATUS=1 service, 1 server: 1 up")
        assert "PATH" in seen.read_text()
        assert "NOTIFY_SOCKET" not in seen.read_text()
    finally:
        process.terminate()
        await process.wait()


CHECKED = """
[service.web]
virtual = "192.168.7.110:80"
timeout = "10s"
check = {{ type = "command", command = ["{python}", "-c", "{code}"] }}
server = [{{ address = "10.0.0.1" }}]
"""
