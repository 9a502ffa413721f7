"""Workers that die, hang, cannot be started or talk nonsense."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from checkers.base import Code, Status
from healthd.verdict import Health, Verdict
from healthd.workers.worker import Patience
from tests.support.building import FAIL
from tests.support.pooling import JOB, LONG, SHORT, Pool
from tests.support.processes import descriptors, until

FIXED = Code.FIXED


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    return Pool(tmp_path)


async def test_one_that_was_killed_is_replaced(pool: Pool) -> None:
    """Its checks are UNKNOWN, said once of each, until the new one has carried them out; one event tells of it."""
    pool.set_jobs(pool.check("always"), other=[pool.check("always")])
    async with pool.going():
        await pool.records(FIXED, FIXED)
        first = pool.worker()
        os.kill(first, signal.SIGKILL)
        await until(lambda: Code.WORKER in pool.codes)
        assert pool.gone == {JOB, "other/10.0.0.1:80/tcp"}
        unknown, _, _ = await pool.records(Code.WORKER, Code.WORKER, FIXED)
        assert unknown.status is Status.UNKNOWN
        assert unknown.detail == "the process that runs it was lost: killed by SIGKILL (Killed)"
        assert pool.worker() != first
    (lost,) = pool.lost
    said = "worker 1 of 1 was lost: killed by SIGKILL (Killed); it is started again at once; 2 checks unknown"
    assert lost.text().startswith(said)


async def test_one_that_hangs_is_killed_and_replaced(tmp_path: Path) -> None:
    """It gives no sign of life."""
    pool = Pool(tmp_path, patience=SHORT)
    pool.set_jobs(pool.check("always"))
    async with pool.going():
        await pool.records(FIXED)
        os.kill(pool.worker(), signal.SIGSTOP)
        unknown, _ = await pool.records(Code.WORKER, FIXED)
        assert unknown.detail == "the process that runs it was lost: gave no sign of life for 1 s and was killed"


async def test_a_plugin_that_blocks_everything_harms_its_worker_alone(tmp_path: Path) -> None:
    """That is what workers are for: in the main process it would have been the end of all checks."""
    pool = Pool(tmp_path, patience=SHORT)
    pool.set_jobs(pool.check(pool.plugin("time.sleep(1000)")))
    async with pool.going():
        (unknown,) = await pool.records(Code.WORKER)
        assert "gave no sign of life" in unknown.detail


ENDS_ONCE = """\
seen = Path(__file__).with_name("seen")
if seen.exists():
    return Outcome(Status.FAIL, "AGAIN")
seen.touch()
os._exit(1)"""


async def test_the_counting_goes_on_after_a_restart(pool: Pool) -> None:
    """Two failures of three before it, one after it. What was lost on the way is UNKNOWN and counts for nothing."""
    pool.verdicts[JOB] = Verdict(Health.UP, (FAIL, FAIL))
    pool.set_jobs(pool.check(pool.plugin(ENDS_ONCE)))
    async with pool.going():
        await pool.records(Code.WORKER, "AGAIN")
    lost, again, *_ = pool.steps
    assert lost == (Code.WORKER, Verdict(Health.UP, (FAIL, FAIL)))
    assert (again[0], again[1].health) == ("AGAIN", Health.DOWN)


async def test_one_that_ends_at_once_again_and_again_is_given_time(tmp_path: Path) -> None:
    """Ever more of it, and the events say so; meanwhile its checks are UNKNOWN, once each time."""
    pool = Pool(tmp_path, patience=replace(LONG, pause=0.05))
    pool.set_jobs(pool.check(pool.plugin("os._exit(3)")))
    async with pool.going():
        await pool.records(*[Code.WORKER] * 4)
    told = [(lost.reason, lost.in_a_row, lost.retry_in) for lost in pool.lost[:4]]
    assert told == [("exit status 3", number, pause) for number, pause in ((1, 0.0), (2, 0.05), (3, 0.1), (4, 0.2))]


def test_pauses_grow_to_a_bound() -> None:
    """A first end is made good at once, like that of a worker that has lived for long."""
    pauses = [Patience().before_restart(lives) for lives in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 2000)]
    assert pauses == [0, 0, 0.5, 1, 2, 4, 8, 16, 30, 30, 30]


async def test_one_that_cannot_be_started_is_tried_again(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """For want of processes, memory or descriptors; no descriptor is lost in trying."""
    pool.set_jobs(pool.check("always"))
    before = descriptors()
    async with pool.going():
        monkeypatch.setattr(sys, "executable", "/nonexistent/python")
        (unknown, *_) = await pool.records(Code.WORKER, Code.WORKER, Code.WORKER)
        assert "could not be started: [Errno 2] No such file or directory" in unknown.detail
        assert descriptors() == before
        monkeypatch.undo()
        await pool.records(FIXED)


NONSENSE = """\
for number in range(3, 20):
    try:
        with socket.socket(fileno=os.dup(number)) as found:
            found.send(b"\\0\\0\\0\\4evil")
    except OSError:
        pass
time.sleep(1000)"""


async def test_one_that_talks_nonsense_is_killed(pool: Pool) -> None:
    """A plugin has found the socket; the parent believes none of it."""
    pool.set_jobs(pool.check(pool.plugin(NONSENSE)))
    async with pool.going():
        (unknown,) = await pool.records(Code.WORKER)
        assert 'was lost: sent "evil", which holds no outcomes' in unknown.detail


FORKS = """\
if not os.fork():
    over = Path(__file__).with_name("over")
    for _ in range(1000):
        if over.exists():
            break
        time.sleep(0.1)
    os._exit(0)
return passed("FORKED")"""


async def test_a_copy_of_the_socket_does_not_hide_the_end_of_a_worker(pool: Pool) -> None:
    """A plugin that forks leaves one behind."""
    pool.set_jobs(pool.check(pool.plugin(FORKS)))
    async with pool.going():
        await pool.records("FORKED")
        os.kill(pool.worker(), signal.SIGKILL)
        await pool.records(Code.WORKER)
        (pool.plugin_dir / "over").touch()  # what was forked lives for longer than anybody waits here, or until now
