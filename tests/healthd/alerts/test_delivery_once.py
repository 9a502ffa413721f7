"""Sinks of which a try whose end is not known must stay the only one: programs, over the death of healthd."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from healthd.alerts.batch import Batch
from healthd.alerts.channel import Channel
from healthd.alerts.keeper import PATIENCE
from healthd.alerts.sink import NotSentError
from healthd.alerts.spool import Spool
from healthd.clock import ManualClock, settle
from tests.healthd.alerts.making import Remembering, Told, alert, down, until


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]*.json"))


def on_disk(folder: Path) -> dict[str, bool]:
    """The servers of the messages that wait there, and whether a try of them has begun."""
    try:
        messages = [json.loads(path.read_text()) for path in files(folder)]
    except FileNotFoundError:  # it has been sent meanwhile
        return on_disk(folder)
    return {event["server"]: message["begun"] for message in messages for event in message["events"]}


class Looking(Remembering):
    """Sees at each try what is on disk."""

    def __init__(self, folder: Path, *failures: NotSentError) -> None:
        super().__init__(retry_for=3600, at_most_once=True)
        self.failures = list(failures)
        self.seen: list[dict[str, bool]] = []
        self._folder = folder

    async def send(self, batch: Batch, served: set[str]) -> str:
        self.seen.append(on_disk(self._folder))
        return await super().send(batch, served)


class Life:
    """A channel with a spool, from one start of healthd to its end, if it has one."""

    def __init__(self, sink: Remembering, spool: Spool, *, burst: float = 0) -> None:
        self.sink, self.clock, self.told = sink, ManualClock(), Told()
        self.channel = Channel(alert(burst=burst), lambda _: sink, self.clock, tell=self.told, spool=spool)

    @property
    def servers(self) -> list[str]:
        return [event.record()["server"] for batch in self.sink.sent for event in batch.events]

    async def stop(self) -> None:
        self.channel.stop()
        await self.channel.finished()


async def test_that_a_try_begins_is_on_disk_before_it_does(tmp_path: Path) -> None:
    """And afterwards that it waits again, or nothing: it is gone."""
    sink = Looking(tmp_path, NotSentError("not now"))
    life = Life(sink, Spool(tmp_path))
    life.channel.put(down())
    await until(lambda: life.channel.view.last_error)
    await until(lambda: on_disk(tmp_path) == {"10.0.0.1:80": False})
    await life.clock.advance(5)
    await until(lambda: sink.sent)
    await life.channel.finished()
    assert sink.seen == [{"10.0.0.1:80": True}] * 2
    assert on_disk(tmp_path) == {}


async def test_what_was_collected_is_gone_before_its_try_begins(tmp_path: Path) -> None:
    """Else the next life would make a second message of it."""
    sink = Looking(tmp_path)
    life = Life(sink, Spool(tmp_path), burst=10)
    life.channel.put(down())
    await until(lambda: on_disk(tmp_path) == {"10.0.0.1:80": False})
    collected = files(tmp_path)
    await life.clock.advance(10)
    await life.channel.finished()
    assert sink.seen == [{"10.0.0.1:80": True}]
    assert len(collected) == 1
    assert files(tmp_path) == []


async def test_a_death_during_a_try_is_its_end(tmp_path: Path) -> None:
    """The next life says that it does not know, counts the message as lost, and sends what had not begun."""
    first = Life(Looking(tmp_path), Spool(tmp_path))
    first.sink.blocked.clear()
    for number in (1, 2):
        first.channel.put(down(f"10.0.0.{number}:80"))
    await until(lambda: on_disk(tmp_path) == {"10.0.0.1:80": True, "10.0.0.2:80": False})
    second = Life(Looking(tmp_path), Spool(tmp_path))
    await second.channel.restore()
    await second.stop()
    assert second.servers == ["10.0.0.2:80"]
    assert [batch.lost for batch in second.sink.sent] == [1]
    (said,) = second.told.failures
    assert said == (
        "alert ops: healthd ended while it was tried, which may have done half of its work; "
        "not tried again, lost: web: server 10.0.0.1:80 down"
    )
    first.channel.delivery.abandon()


async def test_a_stop_keeps_what_may_be_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The receiver has said that nothing was done; the next life sends it."""
    first = Life(Looking(tmp_path, *[NotSentError("not now")] * 2), Spool(tmp_path))
    first.channel.put(down())
    await until(lambda: first.channel.view.last_error)
    await first.stop()
    assert caplog.messages[-1].endswith("not now; kept for the next start: web: server 10.0.0.1:80 down")
    second = Life(Looking(tmp_path), Spool(tmp_path))
    await second.channel.restore()
    await second.stop()
    assert (second.servers, second.told.failures) == (["10.0.0.1:80"], [])


async def test_a_stop_that_does_not_wait_for_a_try_loses_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is not said to be kept, and what has not begun is."""
    life = Life(Looking(tmp_path), Spool(tmp_path))
    life.sink.blocked.clear()
    for number in (1, 2):
        life.channel.put(down(f"10.0.0.{number}:80"))
    await until(lambda: on_disk(tmp_path) == {"10.0.0.1:80": True, "10.0.0.2:80": False})
    life.channel.delivery.abandon()
    assert [message.partition("sent, ")[2] for message in caplog.messages] == [
        "lost: web: server 10.0.0.1:80 down",
        "kept for the next start: web: server 10.0.0.2:80 down",
    ]


class Hanging(Spool):
    """On a disk that does not answer until it is told to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.answers = threading.Event()

    def begin(self, batch: Batch, served: frozenset[str]) -> None:
        self.answers.wait()
        super().begin(batch, served)


@pytest.fixture
async def hanging(tmp_path: Path) -> AsyncIterator[Hanging]:
    spool = Hanging(tmp_path)
    yield spool
    spool.answers.set()


async def test_a_disk_that_hangs_costs_no_message(hanging: Hanging, caplog: pytest.LogCaptureFixture) -> None:
    """It is waited for once, and not for long; then only when it answers again."""
    caplog.set_level("INFO")
    sink = Remembering(retry_for=3600, at_most_once=True)
    life = Life(sink, hanging)
    life.channel.put(down("10.0.0.1:80"))
    await life.clock.advance(PATIENCE - 1)
    assert life.servers == []
    await life.clock.advance(1)
    life.channel.put(down("10.0.0.2:80"))
    await settle()
    assert life.servers == ["10.0.0.1:80", "10.0.0.2:80"]
    (said,) = caplog.messages
    assert said.endswith("no answer within 5 s; messages that wait would be lost by a restart")
    hanging.answers.set()
    await life.channel.finished()
    assert caplog.messages[-1].endswith("can be written again")
    hanging.answers.clear()
    life.channel.put(down("10.0.0.3:80"))
    await settle()
    assert len(sink.sent) == 2


async def test_who_keeps_nothing_is_not_held_up_by_a_disk(hanging: Hanging) -> None:
    """As without `retry_for`: nothing of it is on disk, so nothing could be tried twice."""
    sink = Remembering(at_most_once=True)
    life = Life(sink, hanging)
    life.channel.put(down())
    await settle()
    assert life.servers == ["10.0.0.1:80"]
