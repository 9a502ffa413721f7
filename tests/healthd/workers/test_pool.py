from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from checkers.base import Code, Status
from healthd.clock import settle
from healthd.model import Endpoint
from healthd.plan import make
from healthd.schedulerview import SchedulerView
from healthd.workers.pool import place
from healthd.workers.privileges import CAP_NET_ADMIN
from tests.support.building import check, config, service
from tests.support.pooling import JOB, LONG, Pool
from tests.support.processes import children, descriptors, is_held, running, until

FIXED = Code.FIXED


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    return Pool(tmp_path)


def capabilities(process: int) -> int:
    """The effective ones."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("CapEff:")).split()[1], 16)


def open_files(process: int) -> list[Path]:
    found = []
    for path in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):  # it was closed meanwhile
            found.append(path.readlink())
    return found


async def test_a_worker_cannot_edit_the_table(pool: Pool) -> None:
    """Checks run in a process without the capability for it, which has none of our files open."""
    pool.set_jobs(pool.check("always"))
    with (pool.plugin_dir / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)  # noqa: FBT003 - the function has no keywords
        async with pool.going():
            await pool.records(FIXED)
            process = pool.worker()
            assert not capabilities(process) >> CAP_NET_ADMIN & 1
            files = open_files(process)
            assert Path(file.name) not in files
            assert Path("/dev/null") in files


async def test_it_leaves_nothing_behind(pool: Pool) -> None:
    """Neither a process, not even a dead one, nor a descriptor."""
    pool.set_jobs(pool.check("always"))
    before = descriptors()
    async with pool.going():
        await pool.records(FIXED)
    assert children() == []
    assert descriptors() == before


COUNTS = """\
with Path({0!r}).open("a") as file:
    file.write("x")
return passed("N", str(Path({0!r}).stat().st_size))"""


async def test_what_stays_behind_is_counted(pool: Pool) -> None:
    """Every run of a check is, though few outcomes travel: the check itself says how many there have been."""
    ran = pool.plugin_dir / "ran"
    pool.set_jobs(pool.check(pool.plugin(COUNTS.format(str(ran)))))
    async with pool.going():
        await until(lambda: ran.exists() and ran.stat().st_size > 20)
        pool.pool.check_now([JOB])  # who asks for it is answered, so the next one travels
        await until(lambda: pool.repeated[JOB] > 0)
        told = len(pool.recorded) + pool.repeated[JOB]
        assert int(pool.recorded[-1][1].detail) == told
        assert len(pool.recorded) < told / 2


async def test_jobs_come_change_and_go_while_it_runs(pool: Pool) -> None:
    """Also before it runs; what was dropped is not heard of again, and the process stays."""
    kind = pool.plugin('return passed(f"N{self.number}")')
    pool.set_jobs(pool.check(kind, number=1))
    async with pool.going():
        await pool.records("N1")
        process = pool.worker()
        pool.set_jobs(pool.check(kind, number=2), other=[pool.check(kind, number=3)])
        await pool.records("N2", "N3")
        assert pool.worker() == process
        pool.set_jobs(other=[pool.check(kind, number=3)])
        pool.recorded.clear()
        os.kill(process, signal.SIGKILL)
        await pool.records(Code.WORKER, "N3")
        assert pool.gone == {"other/10.0.0.1:80/tcp"}


async def test_signals_are_for_the_main_process(pool: Pool) -> None:
    """A terminal and a service manager send them to all; a worker ends with its parent and not before."""
    pool.set_jobs(pool.check("always"))
    async with pool.going():
        await pool.records(FIXED)
        process = pool.worker()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(process, number)
        pool.set_jobs(pool.check("always", state="down"))
        while (await pool.records(FIXED))[0].status is not Status.FAIL:
            pass
        assert children() == [process]


async def test_scripts_end_with_an_orderly_stop(pool: Pool) -> None:
    """The worker kills what it has started before it ends itself, and that within the time that it is given."""
    note = pool.plugin_dir / "pid"
    script = f"echo $$ > {note}.new; mv {note}.new {note}; exec sleep 1000"
    pool.set_jobs(pool.check("command", command=("/bin/sh", "-c", script)))
    async with pool.going():
        await until(note.exists)
        began = time.monotonic()
    assert time.monotonic() - began < LONG.grace
    await until(lambda: int(note.read_text()) not in running())


def test_jobs_are_spread_evenly_and_stay_where_they_are() -> None:
    """By address and port alone: all checks of a server are together, in whatever service it is."""
    servers = [Endpoint(f"10.0.{n // 250}.{n % 250}", 80) for n in range(2000)]
    web, mail = (make(config(service(*servers, name=name, checks=[check(name)]))).jobs for name in ("web", "mail"))
    places = [place(job, 4) for job in web.values()]
    assert places == [place(job, 4) for job in mail.values()]
    assert all(400 < count < 600 for count in Counter(places).values())
    assert places[:12] == [3, 3, 3, 0, 1, 3, 0, 3, 1, 2, 2, 3]


async def test_the_figures_of_all_are_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also before the first has come; what a lost one has counted so far stays counted, and its checks are none."""
    pool = Pool(tmp_path, count=2)
    servers = [Endpoint(f"10.0.0.{n}", 80) for n in range(1, 31)]
    pool.pool.set_jobs(make(config(service(*servers, checks=[pool.check("always")]))).jobs)
    assert pool.pool.view == SchedulerView(jobs=30)
    async with pool.going():
        await until(lambda: pool.pool.view.checks == 30 and pool.pool.view.lateness.starts > 30)
        monkeypatch.setattr(sys, "executable", "/nonexistent/python")  # nobody takes their place for now
        for number in children():
            os.kill(number, signal.SIGSTOP)
            await until(partial(is_held, number))
        await settle()  # what was on its way has come
        pool.pool._workers[0]._figures = SchedulerView(too_late=7)
        for number in children():
            os.kill(number, signal.SIGKILL)
        await until(lambda: len({lost.worker for lost in pool.lost}) == 2)
        assert (pool.pool.view.jobs, pool.pool.view.checks) == (30, 0)
        monkeypatch.undo()
        await until(lambda: pool.pool.view.checks == 30)
        assert pool.pool.view.too_late >= 7


async def test_several_share_the_work(tmp_path: Path) -> None:
    """Every process has its part, and one that is lost is no concern of the others."""
    pool = Pool(tmp_path, count=3)
    kind = pool.plugin('return passed(f"PID{os.getpid()}")')
    servers = [Endpoint(f"10.0.0.{n}", 80) for n in range(1, 31)]
    pool.pool.set_jobs(make(config(service(*servers, checks=[pool.check(kind)]))).jobs)
    async with pool.going():
        await until(lambda: len(pool.codes) == 3)
        at_work = children()
        assert pool.codes == {f"PID{number}" for number in at_work}
        pool.recorded.clear()
        os.kill(at_work[0], signal.SIGKILL)
        await until(lambda: len(pool.codes - {f"PID{number}" for number in at_work}) == 2)
        unknown = Counter(job for job, outcome in pool.recorded if outcome.code == Code.WORKER)
        assert 0 < len(unknown) < 30
        assert set(unknown.values()) == {1}
