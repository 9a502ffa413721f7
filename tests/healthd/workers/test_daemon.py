"""A daemon with workers: the same table as without."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from checkers.base import Code, Outcome
from healthd.daemon import Daemon
from healthd.snapshot import CheckView
from tests.support.building import OTHER_KEY
from tests.support.daemons import OTHER, Site
from tests.support.processes import PATIENCE, children, processes, running, until


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    site.write("workers.toml", "[healthd]\nworkers = 2\n")
    return site


BOTH_UP = (
    "-A -t 192.168.7.110:80 -s wlc\n"
    "-a -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 1\n"
    "-a -t 192.168.7.110:80 -r 10.0.0.2:80 -m -w 1"
)


async def test_the_table_is_the_same_as_without(site: Site) -> None:
    """From files to the table, and to what is shown of the checks; and the end of the daemon is theirs."""
    async with site.running() as daemon:
        await site.until(lambda: site.table == BOTH_UP)
        assert len(children()) == 2
        await site.until(lambda: (daemon._parts.scheduler.view.jobs, daemon._parts.scheduler.view.checks) == (2, 2))
    assert site.table == BOTH_UP
    assert children() == []


async def test_a_reload_reaches_them(site: Site) -> None:
    """A service more and a service less, another check, a weight; the processes stay, and so does their number."""
    async with site.running() as daemon:
        await site.until(lambda: site.table == BOTH_UP)
        before = children()
        site.web(weight=5)
        site.write("other.toml", OTHER)
        site.write("workers.toml", "[healthd]\nworkers = 3\n")
        daemon.reload()
        await site.told("reloaded")
        await site.until(lambda: "-r 10.0.0.1:80 -m -w 5" in site.table and OTHER_KEY in site.ipvs.read().services)
        (site.folder / "other.toml").unlink()
        site.web(state="down", weight=5)
        daemon.reload()
        await site.told("service_lost")
        await site.until(lambda: site.table == BOTH_UP.replace("-w 1", "-w 0"))
        assert children() == before


PLUGIN = """
import os
from dataclasses import dataclass
from checkers.base import Checker, passed
@dataclass(frozen=True, kw_only=True)
class Where(Checker):
    async def check(self, target):
        return passed(f"PID{os.getpid()}", __file__)
"""
WITH_PLUGIN = """
[service.web]
virtual = "192.168.7.110:80"
check = {{ type = "{0}:Where" }}
server = [{{ address = "10.0.0.1" }}]
"""


def shown(daemon: Daemon) -> list[CheckView]:
    """Of the first service, one check of every server."""
    return [server.checks[0] for server in daemon._parts.controller.snapshot.services[0].servers]


def newest(daemon: Daemon) -> Outcome | None:
    return shown(daemon)[0].last


def code_of(outcome: Outcome | None) -> str:
    return "" if outcome is None else outcome.code


def at_work() -> set[str]:
    return {f"PID{number}" for number in children()}


async def test_plugins_run_in_them(site: Site) -> None:
    """And not in the main process; also one that a reload has brought, from a folder that it has brought too."""
    for name in ("one", "two"):
        (site.state_dir / name).mkdir()
        (site.state_dir / name / f"{name}.py").write_text(PLUGIN)
    site.write("plugins.toml", f'[healthd]\nplugin_dir = "{site.state_dir}/one"\n')
    site.write("web.toml", WITH_PLUGIN.format("one"))
    async with site.running() as daemon:
        await site.until(lambda: "10.0.0.1:80 -m -w 1" in site.table)
        first = newest(daemon)
        assert first is not None
        assert first.code in at_work()
        site.write("plugins.toml", f'[healthd]\nplugin_dir = "{site.state_dir}/two"\n')
        site.write("web.toml", WITH_PLUGIN.format("two"))
        daemon.reload()
        await site.until(lambda: newest(daemon) not in (None, first))
        second = newest(daemon)
        assert second is not None
        assert second.detail == f"{site.state_dir}/two/two.py"
        assert second.code in at_work()


async def test_a_lost_worker_is_one_event(site: Site) -> None:
    """However many checks it had: those are shown and counted, and not told one by one."""
    async with site.running() as daemon:
        await site.until(lambda: site.table == BOTH_UP)
        site.events.clear()
        for number in children():
            os.kill(number, signal.SIGKILL)
        lost = [await site.told("worker_lost") for _ in range(2)]
        await site.until(lambda: all(check.unknowns and code_of(check.last) == Code.FIXED for check in shown(daemon)))
    records = [event.record() for event in lost]
    assert {record["worker"] for record in records} == {"worker 1 of 2", "worker 2 of 2"}
    assert sum(record["checks"] for record in records) == 2
    assert [event.kind for event in site.events] == ["stopped"]


@asynccontextmanager
async def healthd(site: Site) -> AsyncIterator[tuple[subprocess.Popen[str], set[int]]]:
    """`healthd run` in a process of its own, with its workers at work; those."""
    command = [sys.executable, "-m", "healthd", "run", "-c", str(site.folder)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220 - it starts at once
        assert process.stderr is not None
        try:
            ready = 0
            while ready < 2:
                ready += "is at work" in await asyncio.to_thread(process.stderr.readline)
            workers = {one.number for one in processes() if one.parent == process.pid}
            assert len(workers) == 2
            yield process, workers
        finally:
            process.kill()


async def test_a_stop_ends_them(site: Site) -> None:
    """In good order, and none is left."""
    async with healthd(site) as (process, workers):
        process.terminate()
        assert await asyncio.to_thread(process.wait, PATIENCE) == 0
        assert workers.isdisjoint(running())


@pytest.mark.parametrize("stopped", [False, True])
async def test_the_death_of_the_main_process_ends_them(site: Site, *, stopped: bool) -> None:
    """Each, even one that is in no state to notice."""
    async with healthd(site) as (process, workers):
        if stopped:
            os.kill(min(workers), signal.SIGSTOP)
        process.kill()
        await until(lambda: workers.isdisjoint(running()))
