import logging

import pytest

from healthd.alerts import channel as module
from healthd.alerts import delivery
from healthd.alerts.batch import Batch
from healthd.alerts.channel import Channel
from healthd.alerts.sink import NotSentError
from healthd.alerts.view import Trying
from healthd.alerts.wording import body, headline
from healthd.clock import ManualClock, settle
from healthd.config.values import Rate
from healthd.events import Event
from tests.healthd.alerts.making import AT, Remembering, Told, alert, down, lost, up


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
    clock, sink, told = ManualClock(), Remembering(retry_for=12), Told()
    channel = Channel(alert(burst=0), lambda _: sink, clock, tell=told)
    sink.failures = [NotSentError("no mail server") for _ in range(3)]
    channel.put(down())
    await clock.advance(12)
    assert sink.tries == 3
    assert caplog.messages == [
        "alert ops: no mail server; next try in 5 s",
        "alert ops: no mail server; next try in 7 s",
    ]
    assert told.texts == ["alert ops: no mail server; not tried again, lost: web: server 10.0.0.1:80 down"]
    channel.put(down("10.0.0.2:80"))
    channel.put(down("10.0.0.3:80"))
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


async def test_overflow_drops_the_oldest_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a sink hangs, what waits is bounded; what had to go is told, and counted in the next message."""
    monkeypatch.setattr(delivery, "QUEUE_LIMIT", 3)
    clock, sink, told = ManualClock(), Remembering(), Told()
    sink.blocked.clear()
    channel = Channel(alert(burst=0), lambda _: sink, clock, tell=told)
    channel.put(down("10.0.0.1:80"))
    await settle()
    for n in range(2, 8):
        channel.put(down(f"10.0.0.{n}:80"))
    assert len(told.texts) == 3
    assert told.texts[0] == (
        "alert ops: too much is waiting, and this was the oldest; not tried again, lost: web: server 10.0.0.2:80 down"
    )
    sink.blocked.set()
    await settle()
    sent = [(event.record()["server"], batch.lost) for batch in sink.sent for event in batch.events]
    assert sent == [("10.0.0.1:80", 0), ("10.0.0.5:80", 3), ("10.0.0.6:80", 0), ("10.0.0.7:80", 0)]


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
    assert not channel.delivery.busy


async def test_a_fault_in_a_sink_costs_one_message(caplog: pytest.LogCaptureFixture) -> None:
    """An exception that no sink should raise is logged with its traceback; the next message goes out and counts it."""
    clock, sink = ManualClock(), Remembering()
    channel = Channel(alert(burst=0), lambda _: sink, clock)
    sink.failures = [ZeroDivisionError("oops")]  # type: ignore[list-item]  # the fault
    channel.put(down())
    channel.put(down("10.0.0.2:80"))
    await settle()
    assert [(kinds(batch), batch.lost) for batch in sink.sent] == [(["server_down"], 1)]
    record = caplog.records[0]
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


async def test_the_limit_holds_back_and_counts() -> None:
    """Two messages an hour: what is more waits, and is then one message that says how many it stands for."""
    clock, sink = ManualClock(), Remembering()
    channel = Channel(alert(burst=0, rate=Rate(2, 3600)), lambda _: sink, clock)
    for number in range(5):
        channel.put(down(f"10.0.0.{number}:80"))
    await settle()
    assert [(len(batch.events), batch.held) for batch in sink.sent] == [(1, 0), (1, 0)]
    assert channel.view.held_back == 3
    assert channel.view.queue == 1
    await clock.advance(1799)
    assert len(sink.sent) == 2
    await clock.advance(1)
    assert [(len(batch.events), batch.held) for batch in sink.sent[2:]] == [(3, 3)]
    assert "3 messages were held back by the limit on messages" in body(sink.sent[2], "lb1")
    assert channel.view.queue == 0


async def test_what_is_held_back_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest are kept; the others count as lost."""
    monkeypatch.setattr(module, "BATCH_LIMIT", 3)
    clock, sink, told = ManualClock(), Remembering(), Told()
    channel = Channel(alert(burst=0, rate=Rate(1, 3600)), lambda _: sink, clock, tell=told)
    channel.put(lost())
    await settle()
    for number in range(5):
        channel.put(down(f"10.0.0.{number}:80"))
    await clock.advance(3600)
    assert [(len(batch.events), batch.held, batch.lost) for batch in sink.sent] == [(1, 0, 0), (3, 5, 2)]
    assert len(told.failures) == 2


async def test_the_end_waits_for_no_limit() -> None:
    """When healthd stops, what is held back is sent."""
    clock, sink = ManualClock(), Remembering()
    channel = Channel(alert(burst=0, rate=Rate(1, 3600)), lambda _: sink, clock)
    for number in range(3):
        channel.put(down(f"10.0.0.{number}:80"))
    channel.stop()
    await channel.finished()
    assert sum(len(batch.events) for batch in sink.sent) == 3


async def test_a_reminder_says_that_it_is_one() -> None:
    """After `repeat`, with the time since when."""
    clock, sink = ManualClock(), Remembering()
    channel = Channel(alert(burst=10, repeat=3600), lambda _: sink, clock)
    channel.put(down())
    await clock.advance(3625)
    assert [headline(batch) for batch in sink.sent] == [
        "web: server 10.0.0.1:80 down",
        "still web: server 10.0.0.1:80 down",
    ]
    channel.put(up(at=AT + 3700))
    await clock.advance(10)
    assert headline(sink.sent[2]) == "web: server 10.0.0.1:80 up after 1h 1m"
    await clock.advance(36_000)
    assert len(sink.sent) == 3


async def test_the_heart_beats() -> None:
    """At its pace, with how many failures the receivers know of; it is no message that anybody is told was sent."""
    clock, sink, told = ManualClock(), Remembering(), Told()
    channel = Channel(alert(burst=0, heartbeat=300), lambda _: sink, clock, host="lb1", tell=told)
    channel.begin()
    await clock.advance(300)
    channel.put(down())
    await clock.advance(300)
    assert [batch.events[0].text() for batch in sink.sent if batch.events[0].kind == "heartbeat"] == [
        "healthd on lb1 is running; no problem open",
        "healthd on lb1 is running; 1 problem open",
    ]
    assert [event.kind for event in told.events] == ["alert_sent"]
    channel.stop()
    await channel.finished()
    await clock.advance(900)
    assert len(sink.sent) == 3


async def test_the_heart_stops_while_healthd_does_not_do_its_work() -> None:
    """A process that runs and checks nothing must not look alive; the heart goes on when checks do."""
    clock, sink, trouble = ManualClock(), Remembering(), [""]
    channel = Channel(alert(heartbeat=60), lambda _: sink, clock, host="lb1")
    channel.begin(lambda: trouble[0])
    await clock.advance(60)
    assert len(sink.sent) == 1
    trouble[0] = "no check has ended for 60 s, where one is due every 8 s"
    await clock.advance(600)
    assert len(sink.sent) == 1
    trouble[0] = ""
    await clock.advance(60)
    assert len(sink.sent) == 2
    channel.stop()
    await channel.finished()


async def test_a_heartbeat_that_fails_is_not_made_up_for(caplog: pytest.LogCaptureFixture) -> None:
    """One try each, said once while the reason stays the same."""
    clock, sink = ManualClock(), Remembering(retry_for=3600)
    sink.failures = [NotSentError("no mail server") for _ in range(3)]
    channel = Channel(alert(heartbeat=60), lambda _: sink, clock, host="lb1")
    channel.begin()
    await clock.advance(180)
    assert sink.tries == 3
    assert caplog.messages == ["alert ops: no mail server"]
    await clock.advance(60)
    assert len(sink.sent) == 1
    channel.stop()
    await channel.finished()


async def test_who_asks_to_be_left_alone_is() -> None:
    """A receiver's own time counts where it is longer, up to a quarter of an hour."""
    clock, sink = ManualClock(), Remembering(retry_for=86400)
    sink.failures = [NotSentError("busy", retry_after=60), NotSentError("busy", retry_after=1e9)]
    channel = Channel(alert(burst=0), lambda _: sink, clock)
    channel.put(down())
    await clock.advance(59)
    assert sink.tries == 1
    await clock.advance(1)
    assert sink.tries == 2
    await clock.advance(899)
    assert sink.tries == 2
    await clock.advance(1)
    assert len(sink.sent) == 1


async def test_a_test_message_goes_past_what_waits() -> None:
    """It says that nothing has happened; what is returned is the receiver's answer, or why it has none."""
    clock, sink = ManualClock(), Remembering(retry_for=3600)
    sink.failures = [NotSentError("no mail server"), NotSentError("still none")]
    channel = Channel(alert(burst=0), lambda _: sink, clock, host="lb1")
    channel.put(down())
    await settle()
    assert await channel.test() == Trying("ops", arrived=False, answer="still none")
    assert await channel.test() == Trying("ops", arrived=True, answer="taken")
    assert sink.sent[0].events[0].text() == "a test of alert ops of healthd on lb1: nothing has happened"
    assert channel.view.queue == 1
    channel.delivery.abandon()


async def test_the_view() -> None:
    """What metrics and whoever asks see."""
    clock, sink = ManualClock(), Remembering(retry_for=3600)
    sink.failures = [NotSentError("busy"), NotSentError("no such user", final=True)]
    channel = Channel(alert(burst=0), lambda _: sink, clock)
    channel.put(down())
    await settle()
    view = channel.view
    assert (view.name, view.kind, view.queue, view.sent, view.failed, view.lost) == ("ops", "command", 1, 0, 0, 0)
    assert (view.last_error, view.last_error_at, view.last_success_at) == ("busy", clock.wall(), None)
    await clock.advance(5)
    assert (channel.view.queue, channel.view.failed, channel.view.lost, channel.view.problems) == (0, 1, 1, 1)
    channel.put(lost())
    await settle()
    assert (channel.view.sent, channel.view.lost, channel.view.problems) == (1, 0, 2)
    assert channel.view.last_success_at == clock.wall()
