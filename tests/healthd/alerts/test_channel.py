import logging

import pytest

from healthd.alerts import channel as module
from healthd.alerts.batch import Batch
from healthd.alerts.channel import Channel
from healthd.alerts.sink import NotSentError
from healthd.clock import ManualClock, settle
from healthd.events import Event
from tests.healthd.alerts.making import Remembering, alert, down, up


def kinds(batch: Batch) -> list[str]:
    return [event.kind for event in batch.events]


async def test_what_happens_within_the_burst_is_one_message() -> None:
    """The window begins with the first event, and later events do not prolong it."""
    clock, sink = ManualClock(), Remembering()
    channel = Channel(alert(burst=10), lambda _: sink, clock)
    channel.put(down())
    await clock.advance(9)
    channel.put(up())
    assert sink.sent == []
    await clock.advance(1)
    assert [kinds(batch) for batch in sink.sent] == [["server_down", "server_up"]]
    channel.put(down())
    await clock.advance(9.9)
    assert len(sink.sent) == 1
    await clock.advance(0.1)
    assert [kinds(batch) for batch in sink.sent] == [["server_down", "server_up"], ["server_down"]]


async def test_without_burst_each_event_is_a_message_at_once() -> None:
    """burst = 0: nothing waits, nothing is put together, the order is kept."""
    clock, sink = ManualClock(), Remembering()
    channel = Channel(alert(burst=0), lambda _: sink, clock)
    channel.put(down())
    channel.put(up())
    await settle()
    assert [kinds(batch) for batch in sink.sent] == [["server_down"], ["server_up"]]


async def test_a_full_message_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A storm within the burst is cut into messages of bounded size, and none of it is lost."""
    monkeypatch.setattr(module, "BATCH_LIMIT", 3)
    clock, sink = ManualClock(), Remembering()
    channel = Channel(alert(burst=10), lambda _: sink, clock)
    events: list[Event] = [down(f"10.0.0.{n}:80") for n in range(7)]
    for event in events:
        channel.put(event)
    await settle()
    assert [len(batch.events) for batch in sink.sent] == [3, 3]
    await clock.advance(10)
    assert [event for batch in sink.sent for event in batch.events] == events


async def test_back_off(caplog: pytest.LogCaptureFixture) -> None:
    """Tried again after 5 s, 10 s, 20 s, at most 300 s apart, each time with a line saying what happens next."""
    clock, sink = ManualClock(), Remembering(retry_for=3600)
    channel = Channel(alert(burst=0), lambda _: sink, clock)
    sink.failures = [NotSentError("no mail server") for _ in range(9)]
    channel.put(down())
    await settle()
    for wait in (5, 10, 20, 40, 80, 160, 300, 300, 300):
        tries = sink.tries
        await clock.advance(wait - 0.1)
        assert sink.tries == tries
        await clock.advance(0.1)
        assert sink.tries == tries + 1
    assert len(sink.sent) == 1
    assert caplog.messages[0] == "alert ops: no mail server; next try in 5 s"
    assert caplog.messages[-1] == "alert ops: no mail server; next try in 300 s"
    assert len(caplog.messages) == 9


async def test_given_up_after_retry_for(caplog: pytest.LogCaptureFixture) -> None:
    """The last try is at the end of retry_for; then the log says what was lost, and the next message counts it."""
    clock, sink = ManualClock(), Remembering(retry_for=12)
    channel = Channel(alert(burst=0), lambda _: sink, clock)
    sink.failures = [NotSentError("no mail server") for _ in range(3)]
    channel.put(down())
    await clock.advance(12)
    assert sink.tries == 3
    assert caplog.messages == [
        "alert ops: no mail server; next try in 5 s",
        "alert ops: no mail server; next try in 7 s",
        "alert ops: no mail server; not tried again, lost: web: server 10.0.0.1:80 down",
    ]
    channel.put(up())
    channel.put(down())
    await settle()
    assert [batch.lost for batch in sink.sent] == [1, 0]


async def test_what_is_final_is_not_tried_again() -> None:
    """A refusal for good costs one try."""
    clock, sink = ManualClock(), Remembering(retry_for=3600)
    channel = Channel(alert(burst=0), lambda _: sink, clock)
    sink.failures = [NotSentError("no such user", final=True)]
    channel.put(down())
    await clock.advance(4000)
    assert sink.tries == 1


async def test_overflow_drops_the_oldest_and_counts(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While a sink hangs, what waits is bounded; what had to go is logged, and told with the next message."""
    monkeypatch.setattr(module, "QUEUE_LIMIT", 3)
    clock, sink = ManualClock(), Remembering()
    sink.blocked.clear()
    channel = Channel(alert(burst=0), lambda _: sink, clock)
    channel.put(down("10.0.0.1:80"))
    await settle()
    for n in range(2, 8):
        channel.put(down(f"10.0.0.{n}:80"))
    assert len(caplog.messages) == 3
    assert caplog.messages[0] == ("alert ops: too much is waiting, dropped the oldest: web: server 10.0.0.2:80 down")
    sink.blocked.set()
    await settle()
    told = [(event.record()["server"], batch.lost) for batch in sink.sent for event in batch.events]
    assert told == [("10.0.0.1:80", 0), ("10.0.0.5:80", 3), ("10.0.0.6:80", 0), ("10.0.0.7:80", 0)]


async def test_a_mended_configuration_sends_what_waits() -> None:
    """A reload with another sink ends the waiting: pending messages go by the new one, at once."""
    clock, dead, alive = ManualClock(), Remembering(retry_for=3600), Remembering()
    dead.failures = [NotSentError("no mail server") for _ in range(9)]
    channel = Channel(alert(burst=0), lambda config: alive if config.burst else dead, clock)
    channel.put(down("10.0.0.1:80"))
    channel.put(down("10.0.0.2:80"))
    await settle()
    channel.reconfigure(alert(burst=1))
    await settle()
    assert dead.tries == 1
    assert [kinds(batch) for batch in alive.sent] == [["server_down"], ["server_down"]]


async def test_finish_sends_what_is_collected_and_tries_what_failed_once_more() -> None:
    """At the end nothing waits for a burst or a back-off, and nothing is tried for long."""
    clock, sink = ManualClock(), Remembering(retry_for=3600)
    sink.failures = [NotSentError("no mail server")]
    channel = Channel(alert(burst=10), lambda _: sink, clock)
    channel.put(down())
    await clock.advance(10)
    channel.put(up())
    channel.finish()
    await settle()
    assert [kinds(batch) for batch in sink.sent] == [["server_down"], ["server_up"]]
    assert channel.task is not None
    assert channel.task.done()


async def test_a_fault_in_a_sink_costs_one_message(caplog: pytest.LogCaptureFixture) -> None:
    """An exception that no sink should raise is logged with its traceback; the next message goes out and counts it."""
    clock, sink = ManualClock(), Remembering()
    channel = Channel(alert(burst=0), lambda _: sink, clock)
    sink.failures = [ZeroDivisionError("oops")]  # type: ignore[list-item]  # the fault
    channel.put(down())
    channel.put(up())
    await settle()
    assert [(kinds(batch), batch.lost) for batch in sink.sent] == [(["server_up"], 1)]
    record = caplog.records[0]
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError
