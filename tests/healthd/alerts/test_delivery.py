"""The spool at work: what survives the end of healthd, and what a bad disk costs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from healthd.alerts.batch import Batch
from healthd.alerts.channel import Channel
from healthd.alerts.sink import NotSentError
from healthd.alerts.spool import Spool
from healthd.clock import ManualClock, settle
from tests.healthd.alerts.making import Remembering, Told, alert, down, lost, until, up

DEAD = 100


class Life:
    """A channel with a spool, from one start of healthd to its end."""

    def __init__(self, folder: Path, clock: ManualClock, *, dead: bool = False, repeat: float | None = None) -> None:
        self.sink = Remembering(retry_for=3600)
        if dead:
            self.sink.failures = [NotSentError("no mail server") for _ in range(DEAD)]
        self.told = Told()
        self.channel = Channel(
            alert(burst=0, repeat=repeat), lambda _: self.sink, clock, tell=self.told, spool=Spool(folder)
        )

    @property
    def sent(self) -> list[str]:
        return [event.kind for batch in self.sink.sent for event in batch.events]

    async def stop(self) -> None:
        self.channel.stop()
        await self.channel.finished()


async def test_what_waits_goes_out_after_a_restart(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In order, once, and nothing is left on disk."""
    clock = ManualClock()
    first = Life(tmp_path, clock, dead=True)
    first.channel.put(down())
    first.channel.put(lost())
    await settle()
    await first.stop()
    assert first.told.events == []
    assert [text.split("; ")[-1] for text in caplog.messages[-2:]] == [
        "kept for the next start: web: server 10.0.0.1:80 down",
        "kept for the next start: web: has no server left",
    ]
    second = Life(tmp_path, clock)
    await second.channel.restore()
    await settle()
    second.channel.put(up())
    await second.stop()
    assert second.sent == ["server_down", "service_lost", "server_up"]
    assert os.listdir(tmp_path) == ["known.json"]  # noqa: PTH208 - of a pathlib.Path ruff says that it blocks


async def test_what_was_told_is_known_after_a_restart(tmp_path: Path) -> None:
    """The same failure is no news, and its end is."""
    clock = ManualClock()
    first = Life(tmp_path, clock)
    first.channel.put(down())
    await first.stop()
    second = Life(tmp_path, clock, repeat=600)
    await second.channel.restore()
    second.channel.put(down())
    await settle()
    assert second.sent == []
    await clock.advance(605)
    assert second.sent == ["server_down"]
    second.channel.put(up())
    await second.stop()
    assert second.sent == ["server_down", "server_up"]


async def test_too_old_after_a_restart(tmp_path: Path) -> None:
    """Nobody is told in the morning of what nobody could be told at night, but that there was something."""
    clock = ManualClock()
    first = Life(tmp_path, clock, dead=True)
    first.channel.put(down())
    await settle()
    await first.stop()
    await clock.advance(3601)
    second = Life(tmp_path, clock)
    await second.channel.restore()
    second.channel.put(down("10.0.0.2:80"))
    await second.stop()
    assert [batch.lost for batch in second.sink.sent] == [1]
    assert "too old when healthd started again; not tried again, lost: " in second.told.texts[0]


async def test_a_disk_that_cannot_be_written_costs_no_message(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Said once, and once that it is over; the messages go out."""
    clock = ManualClock()
    (tmp_path / "file").write_text("in the way")
    life = Life(tmp_path / "file/ops", clock)
    for number in range(3):
        life.channel.put(down(f"10.0.0.{number}:80"))
    await life.stop()
    assert len(life.sink.sent) == 3
    said = f"alert ops: spool {tmp_path}/file/ops cannot be written: "
    assert [text for text in caplog.messages if text.startswith(said)] == caplog.messages
    assert len(caplog.messages) == 1


async def test_on_a_bad_disk_an_end_loses_what_it_cannot_keep(tmp_path: Path) -> None:
    """And says so."""
    clock = ManualClock()
    (tmp_path / "file").write_text("in the way")
    life = Life(tmp_path / "file/ops", clock, dead=True)
    life.channel.put(down())
    await settle()
    await life.stop()
    assert life.told.texts == ["alert ops: no mail server; not tried again, lost: web: server 10.0.0.1:80 down"]


async def test_receivers_that_have_it_are_remembered_over_a_restart(tmp_path: Path) -> None:
    """Who has a message does not get it twice."""

    class Half(Remembering):
        async def send(self, batch: Batch, served: set[str]) -> str:  # noqa: ARG002 - as every sink
            self.seen = set(served)
            served.add("a@example.com")
            raise NotSentError("b@example.com is full")

    clock = ManualClock()
    first = Life(tmp_path, clock)
    first.sink = Half(retry_for=3600)
    first.channel.delivery.sink = first.sink
    first.channel.put(down())
    await until(lambda: first.channel.view.last_error)
    await first.stop()
    second = Life(tmp_path, clock)
    half = Half(retry_for=3600)
    second.channel.delivery.sink = half
    await second.channel.restore()
    await second.stop()
    assert half.seen == {"a@example.com"}
