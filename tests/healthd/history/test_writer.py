from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import pytest

from healthd.clock import ManualClock, settle
from healthd.events import Bus, ServiceLost
from healthd.history import writer
from healthd.history.reader import EventQuery, LatencyQuery, Unanswered
from healthd.history.schema import opened
from healthd.history.store import Retention
from healthd.history.writer import AGAIN_AFTER, MOST_WAITING, SLICE, History
from healthd.tally import Latency
from tests.support.disks import Disk, small_disk

PATIENCE = 60  # seconds that a disk may take on a busy machine
KEEP = Retention(events=1e9, minutes=1e9, hours=1e9, days=1e9, size=10**12)


class Keeping:
    """A history at work in a folder, with a clock that is stepped."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = ManualClock()
        self.bus = Bus()
        self.latencies: list[Latency] = []
        self.history = History(path, KEEP, self.clock, self.bus, lambda: (each for each in self.latencies))

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.history.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def lose(self, service: str) -> None:
        self.bus.publish(ServiceLost(at=self.clock.wall(), service=service, consequence="nobody answers"))

    async def step(self) -> None:
        """A second, and the writing that it leads to: however slow the disk is, no more time goes by meanwhile."""
        await self.clock.advance(1)
        await asyncio.get_running_loop().run_in_executor(self.history._writing, lambda: None)
        await settle()

    async def until(self, error: str) -> None:
        """Steps on until the history's error holds this text."""
        async with asyncio.timeout(PATIENCE):
            while error not in self.history.view.error or bool(error) is not bool(self.history.view.error):
                await self.step()

    async def kept(self, count: int) -> list[str]:
        """Steps on until so many events are in the file; their services, oldest first."""
        async with asyncio.timeout(PATIENCE):
            while True:
                await self.step()
                if self.path.exists() and not self.history.view.error:
                    with suppress(Exception):
                        found = await self.history.events(EventQuery(limit=1000))
                        if len(found) == count:
                            return [str(event["service"]) for event in reversed(found)]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk") as disk:
        yield disk


async def test_what_is_published_is_kept(tmp_path: Path) -> None:
    """Also what is published just before the end."""
    keeping = Keeping(tmp_path / "history.db")
    async with keeping.going():
        keeping.lose("a")
        assert await keeping.kept(1) == ["a"]
        keeping.lose("b")
    again = Keeping(keeping.path)
    async with again.going():
        assert await again.kept(2) == ["a", "b"]


async def test_latencies_are_kept_every_minute(tmp_path: Path) -> None:
    """In the minute that has ended."""
    keeping = Keeping(tmp_path / "history.db")
    keeping.latencies.append(Latency("web", "10.0.0.1:80", "tcp", 3, 1, 1.5, 1.0))
    began = keeping.clock.wall()
    async with keeping.going():
        async with asyncio.timeout(PATIENCE):
            while not keeping.path.exists():
                await keeping.clock.advance(61)
                await asyncio.sleep(0.01)
        keeping.lose("web")
        await keeping.kept(1)
        query = LatencyQuery(service="web", server="10.0.0.1:80", since=0, until=began + 10**6)
        point = (await keeping.history.latencies(query))[0]
    assert (point.outcomes, point.fails, point.mean, point.longest) == (3, 1, 0.5, 1.0)
    assert began - 60 <= point.at <= began + 60


async def test_a_damaged_file_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is said once, the damaged file stays for who wants to look, and the new one takes what comes."""
    path = tmp_path / "history.db"
    path.write_bytes(b"SQLite format 3\0" + os.urandom(5000))
    keeping = Keeping(path)
    async with keeping.going():
        keeping.lose("a")
        assert await keeping.kept(1) == ["a"]
    with closing(opened(path)) as connection:
        assert connection.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",)
    assert (tmp_path / "history.db.damaged").stat().st_size == 5016
    said = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert len(said) == 1
    assert "is damaged" in said[0]
    assert "checking goes on" in said[0]


async def test_a_folder_that_is_not_there_costs_only_history(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What came meanwhile is written when the folder is there, up to a bound."""
    keeping = Keeping(tmp_path / "later" / "history.db")
    async with keeping.going():
        keeping.lose("a")
        await keeping.until("cannot be written")
        keeping.lose("b")
        await keeping.clock.advance(AGAIN_AFTER * 3)
        keeping.path.parent.mkdir()
        assert await keeping.kept(2) == ["a", "b"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]
    assert "written again; 0 events are missing" in caplog.records[-1].message


async def test_a_full_disk_costs_only_history(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    """It is said once, and when there is room again it goes on with all that has a place in memory."""
    keeping = Keeping(disk.path / "history.db")
    async with keeping.going():
        keeping.lose("a")
        assert await keeping.kept(1) == ["a"]
        disk.fill()
        for number in range(100):
            keeping.lose("b" * 1000 + str(number))
        await keeping.until("cannot be written")
        disk.clear()
        assert len(await keeping.kept(101)) == 101
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]


async def test_a_full_disk_costs_no_minute_that_can_be_written_before_the_next(disk: Disk) -> None:
    """The times that checks took are tried again, each is counted once, and that it is over is seen at once."""
    keeping = Keeping(disk.path / "history.db")

    def counted() -> tuple[int, int]:
        with closing(opened(keeping.path)) as connection:
            return connection.execute("SELECT count(*), sum(outcomes) FROM latency WHERE step = 60").fetchone()  # type: ignore[no-any-return]

    keeping.latencies += [Latency("web", f"server {number}", "tcp", 1, 0, 1.0, 1.0) for number in range(2000)]
    began = keeping.clock.monotonic()
    async with keeping.going():
        disk.fill()
        await keeping.until("cannot be written")
        failed = keeping.clock.monotonic()
        disk.clear()
        await keeping.until("")
        assert keeping.clock.monotonic() - failed < 3 * AGAIN_AFTER
        async with asyncio.timeout(PATIENCE):
            while counted() != (2000, 2000):  # noqa: ASYNC110 - the file tells nobody when it changes
                await asyncio.sleep(0.01)
    assert keeping.clock.monotonic() - began < 120, "one minute's"


async def test_a_minute_that_cannot_be_written_is_lost_in_part_only(disk: Disk) -> None:
    """What was not even tried is counted to the first minute that can be written."""
    keeping = Keeping(disk.path / "history.db")
    left = [Latency("web", f"server {number}", "tcp", 1, 0, 1.0, 1.0) for number in range(4 * SLICE)]
    keeping.history._latencies = lambda: (left.pop() for _ in range(len(left)))

    async def minute(at: float) -> None:
        writing = asyncio.create_task(keeping.history._write_minute(at))
        async with asyncio.timeout(PATIENCE):
            while not writing.done():
                await keeping.clock.advance(1)
                await asyncio.sleep(0.01)

    await keeping.history.events(EventQuery())
    disk.fill()
    await minute(30)
    assert len(left) == 3 * SLICE
    disk.clear()
    await minute(90)
    async with keeping.going():  # only now: it would write minutes of its own
        await asyncio.sleep(0)
    with closing(opened(keeping.path)) as connection:
        assert connection.execute("SELECT at, count(*) FROM latency WHERE step = 60").fetchall() == [(60, 3 * SLICE)]


async def test_what_waits_has_a_bound(tmp_path: Path) -> None:
    """The oldest is dropped and counted while nothing can be written."""
    keeping = Keeping(tmp_path / "never" / "history.db")
    async with keeping.going():
        keeping.lose("first")
        await keeping.until("cannot be written")
        for _ in range(3):
            for _ in range(MOST_WAITING):
                keeping.lose("web")
            await keeping.clock.advance(AGAIN_AFTER * 2)
            await asyncio.sleep(0.05)
        async with asyncio.timeout(PATIENCE):
            while keeping.history.view.dropped < 2 * MOST_WAITING + 1:
                await keeping.clock.advance(AGAIN_AFTER)
                await asyncio.sleep(0.01)


async def test_who_asks_is_told_of_what_has_just_been_published(tmp_path: Path) -> None:
    """It does not wait until it would have been written: an operator looks for what he has just done."""
    keeping = Keeping(tmp_path / "history.db")
    async with keeping.going():
        for service in ("a", "b"):
            keeping.lose(service)
            found = await keeping.history.events(EventQuery(limit=1))
            assert [event["service"] for event in found] == [service]
        assert len(await keeping.history.events(EventQuery())) == 2


async def test_who_asks_before_anything_is_written_finds_nothing(tmp_path: Path) -> None:
    """A page that is open while healthd starts asks at once: that there is no past yet is no trouble."""
    keeping = Keeping(tmp_path / "history.db")
    async with keeping.going():
        assert await keeping.history.latencies(LatencyQuery(service="a", server="b", since=0, until=1e9)) == []
    keeping = Keeping(tmp_path / "other.db")
    async with keeping.going():
        assert await keeping.history.events(EventQuery()) == []
        assert keeping.history.view.error == ""


async def test_who_asks_while_it_ends_is_told_so(tmp_path: Path) -> None:
    """It is no failure of the program."""
    keeping = Keeping(tmp_path / "history.db")
    async with keeping.going():
        keeping.lose("a")
        assert len(await keeping.history.events(EventQuery())) == 1
    latencies = LatencyQuery(service="web", server="10.0.0.1:80", since=0, until=1)
    for question in (keeping.history.events(EventQuery()), keeping.history.latencies(latencies)):
        with pytest.raises(Unanswered, match="healthd is stopping"):
            await question


async def test_a_disk_that_hangs_does_not_keep_it_from_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor is that a failure of the program: it is said."""
    monkeypatch.setattr(writer, "FAREWELL", 0.05)
    keeping, answers = Keeping(tmp_path / "history.db"), threading.Event()
    monkeypatch.setattr(keeping.history, "_last_words", answers.wait)
    async with keeping.going():
        keeping.lose("a")
        await settle()
    answers.set()
    assert [record.message for record in caplog.records] == [
        f"history: {keeping.path} was not written within 0.05 s; the last events are missing"
    ]
