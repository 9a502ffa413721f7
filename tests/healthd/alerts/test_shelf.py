from __future__ import annotations

from pathlib import Path

import pytest

from healthd.alerts.channel import Channel
from healthd.alerts.spool import Spool
from healthd.clock import ManualClock
from healthd.config.values import AlertConfig, Rate
from tests.healthd.alerts.making import Remembering, alert, down, up


def life(config: AlertConfig, folder: Path, sink: Remembering) -> tuple[Channel, ManualClock]:
    """A channel as a life of healthd has it."""
    clock = ManualClock()
    return Channel(config, lambda _: sink, clock, spool=Spool(folder)), clock


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def told(sink: Remembering) -> list[list[str]]:
    return [[f"{event.kind} {event.record()['server']}" for event in batch.events] for batch in sink.sent]


@pytest.mark.parametrize(
    ("config", "sent"),
    [(alert(burst=10), 0), (alert(burst=0, rate=Rate(1, 3600)), 1)],
    ids=["collected", "held back"],
)
async def test_a_crash_costs_nothing_of_what_is_collected(tmp_path: Path, config: AlertConfig, sent: int) -> None:
    """The next life tells what the end of a burst, or the limit on messages, has kept from being told; once."""
    sink = Remembering(retry_for=3600)
    channel, clock = life(config, tmp_path, sink)
    for number in range(4):
        channel.put(down(f"10.0.0.{number}:80"))
        await clock.advance(0.3)
    await clock.advance(0.5)
    await channel.finished()
    assert len(sink.sent) == sent
    after = Remembering(retry_for=3600)
    channel, _ = life(config, tmp_path, after)  # nobody has ended the one before
    await channel.restore()
    channel.put(down("10.0.0.3:80"))
    await channel.finished()
    assert told(sink) + told(after) == [
        *([["server_down 10.0.0.0:80"]] * sent),
        [f"server_down 10.0.0.{number}:80" for number in range(sent, 4)],
    ]


async def test_what_has_become_a_message_is_not_told_twice(tmp_path: Path) -> None:
    """When the message has arrived, nothing of it is left on the disk."""
    sink = Remembering(retry_for=3600)
    channel, clock = life(alert(burst=10), tmp_path, sink)
    channel.put(down())
    await clock.advance(11)
    await channel.finished()
    assert told(sink) == [["server_down 10.0.0.1:80"]]
    assert [path.name for path in files(tmp_path)] == ["known.json"]


async def test_what_comes_fast_is_written_at_a_pace(tmp_path: Path) -> None:
    """The first at once, and then what there is: hundreds of events are not hundreds of files."""
    sink = Remembering(retry_for=3600)
    channel, clock = life(alert(burst=10), tmp_path, sink)
    channel.put(down())
    await channel.finished()
    (first,) = files(tmp_path)
    before = first.stat().st_size
    for _ in range(50):
        channel.put(down())
        channel.put(up())
    await channel.finished()
    assert first.stat().st_size == before
    await clock.advance(0.5)
    await channel.finished()
    assert files(tmp_path) == [first]
    assert first.stat().st_size > before


async def test_who_keeps_nothing_has_nothing_collected_on_disk(tmp_path: Path) -> None:
    """As without `retry_for`."""
    channel, clock = life(alert(burst=10), tmp_path, Remembering(retry_for=0))
    channel.put(down())
    await clock.advance(1)
    await channel.finished()
    assert files(tmp_path) == []
