import asyncio
import json
import os
from pathlib import Path

import pytest

from healthd.alerts.router import Router
from healthd.alerts.view import Trying
from healthd.alerts.wanted import wants
from healthd.clock import ManualClock, SystemClock, settle
from healthd.config.values import AlertConfig, CommandConfig, MailConfig, WebhookConfig
from healthd.events import ALERTED_BY_DEFAULT, Bus, Event, Started, Subscription, TableError
from tests.healthd.alerts.hookserver import Receiver
from tests.healthd.alerts.making import AT, alert, down, hook, lost, until, up

PATIENCE = 90  # seconds that hooks and receivers may take on a busy machine

ERROR = TableError(at=AT, errors=("Operation not permitted",), retry_in=1)


@pytest.mark.parametrize(
    ("services", "event", "expected"),
    [
        (["*"], down(), True),
        (["web"], down(), True),
        (["web-*", "mail-*"], down(service="mail-in"), True),
        (["web-*"], down(service="web"), False),
        (["web-?"], down(service="web-1"), True),
        (["Web"], down(service="web"), False),
        (["*"], ERROR, True),
        (["web", "*"], ERROR, True),
        (["web"], ERROR, False),
        (["?*"], ERROR, False),
        ([], down(), False),
    ],
)
def test_services_are_chosen_by_pattern(services: list[str], event: Event, expected: bool) -> None:  # noqa: FBT001
    """Globs, with case; an event without a service goes to alerts of all services."""
    assert wants(alert(services=services), event) is expected


def test_events_are_chosen_by_kind() -> None:
    """An alert gets the kinds that it names and no others."""
    only_lost = alert(events=frozenset({"service_lost"}))
    assert wants(only_lost, lost())
    assert not wants(only_lost, down())
    assert not wants(alert(events=ALERTED_BY_DEFAULT), Started(at=AT, version="1", services=1, servers=1))


def writing(folder: Path, name: str, *, services: tuple[str, ...] = ("*",), burst: float = 0) -> AlertConfig:
    """An alert whose hook adds a line to the file `name`."""
    program = hook(folder / f"{name}.sh", f'echo "$HEALTHD_EVENT $HEALTHD_COUNT" >> {folder / name}')
    return alert(name, services=services, burst=burst, sink=CommandConfig(command=(program,)))


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


async def test_each_alert_gets_what_it_wants(tmp_path: Path) -> None:
    """Two alerts, one event for both and one for one."""
    bus = Bus()
    alerts = [writing(tmp_path, "all"), writing(tmp_path, "mail", services=("mail",))]
    router = Router(bus, alerts, SystemClock(), "lb1")
    bus.publish(down(service="web"))
    bus.publish(lost("mail"))
    await router.close(PATIENCE)
    assert lines(tmp_path / "all") == ["server_down 1", "service_lost 1"]
    assert lines(tmp_path / "mail") == ["service_lost 1"]


async def test_a_hanging_sink_delays_no_other(tmp_path: Path) -> None:
    """One alert's hook never ends; the other's has long run."""
    bus, clock = Bus(), ManualClock()
    stuck = alert("stuck", burst=0, sink=CommandConfig(command=(hook(tmp_path / "stuck.sh", "sleep 1000"),)))
    router = Router(bus, [stuck, writing(tmp_path, "quick")], clock, "lb1")
    bus.publish(down())
    router.update([stuck, writing(tmp_path, "quick")])
    await until(lambda: lines(tmp_path / "quick"))
    await router_closed(router, clock)


async def router_closed(router: Router, clock: ManualClock) -> None:
    closing = asyncio.create_task(router.close(3))
    await clock.advance(3)
    await closing


async def test_events_before_run_are_not_lost_and_run_ends_when_cancelled(tmp_path: Path) -> None:
    """The router listens from its construction on."""
    bus = Bus()
    router = Router(bus, [writing(tmp_path, "ops")], SystemClock(), "lb1")
    bus.publish(down())
    task = asyncio.create_task(router.run())
    await until(lambda: lines(tmp_path / "ops") == ["server_down 1"])
    bus.publish(up())
    await until(lambda: lines(tmp_path / "ops") == ["server_down 1", "server_up 1"])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await router.close(PATIENCE)


async def test_reload_keeps_what_an_unchanged_alert_has_collected(tmp_path: Path) -> None:
    """An open window goes on over a reload; the two events are one message."""
    bus, clock = Bus(), ManualClock()
    config = writing(tmp_path, "ops", burst=10)
    router = Router(bus, [config], clock, "lb1")
    bus.publish(down())
    router.update([config, writing(tmp_path, "new", burst=10)])
    await clock.advance(9)
    bus.publish(lost())
    router.update([config])
    assert not lines(tmp_path / "ops")
    await clock.advance(1)
    await until(lambda: lines(tmp_path / "ops") == ["service_lost 2"])
    await until(lambda: lines(tmp_path / "new") == ["service_lost 1"])  # removed, and sent what it had
    await router_closed(router, clock)


async def test_a_removed_alert_gets_nothing_more(tmp_path: Path) -> None:
    """After a reload without it an alert is silent."""
    bus = Bus()
    router = Router(bus, [writing(tmp_path, "ops")], SystemClock(), "lb1")
    router.update([])
    bus.publish(down())
    await router.close(PATIENCE)
    assert not lines(tmp_path / "ops")


async def test_close_flushes_an_open_window(tmp_path: Path) -> None:
    """What is being collected when healthd stops is told, without waiting for the burst."""
    bus = Bus()
    router = Router(bus, [writing(tmp_path, "ops", burst=600)], SystemClock(), "lb1")
    bus.publish(down())
    await router.close(PATIENCE)
    assert lines(tmp_path / "ops") == ["server_down 1"]


async def test_close_is_bounded_and_says_what_is_lost(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A hook that hangs cannot keep healthd from stopping; the log has what it was not told, and it is killed."""
    marker = tmp_path / "pid"
    stuck = hook(tmp_path / "stuck.sh", f"echo $$ > {marker}; exec sleep 1000")
    bus, clock = Bus(), ManualClock()
    router = Router(bus, [alert(burst=0, sink=CommandConfig(command=(stuck,), timeout=100))], clock, "lb1")
    bus.publish(down())
    bus.publish(lost())
    router.update([])
    await until(lambda: lines(marker))
    await router_closed(router, clock)
    assert caplog.messages == [
        "alert ops: stopped before it could be sent, lost: web: server 10.0.0.1:80 down",
        "alert ops: stopped before it could be sent, lost: web: has no server left",
    ]
    await until(lambda: not Path(f"/proc/{marker.read_text().strip()}").exists())


async def test_events_that_come_too_fast_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What the router could not keep up with is logged, and told with the next message."""
    bus = Bus()
    out = tmp_path / "out"
    config = alert(sink=CommandConfig(command=(hook(tmp_path / "cat.sh", f"cat >> {out}"),)))
    router = Router(bus, [config], ManualClock(), "lb1")
    for number in range(10_007):
        bus.publish(down(f"10.0.{number >> 8}.{number & 255}:80"))
    await settle()
    await router.close(PATIENCE)
    assert "alerts: 7 events came too fast to be routed" in caplog.messages
    told = [json.loads(line) for line in lines(out)]
    assert [message["lost"] for message in told] == [7] + [0] * 19
    assert sum(len(message["events"]) for message in told) == 10_000


async def test_a_mail_alert_is_served_by_mail() -> None:
    """The kind of sink follows from the configuration: here a port at which nobody listens is tried by SMTP."""
    bus = Bus()
    told = bus.subscribe()
    mail = MailConfig(to=("a@example.com",), sender="b@example.com", host="127.0.0.1", port=1)
    router = Router(bus, [alert(burst=0, sink=mail)], SystemClock(), "lb1")
    bus.publish(down())
    await router.close(PATIENCE)
    assert "mail to a@example.com by 127.0.0.1 port 1: " in [event.text() for event in drained(told)][-1]


def drained(subscription: Subscription) -> list[Event]:
    found = []
    while (event := subscription.get_nowait()) is not None:
        found.append(event)
    return found


def chat(url: str, *, burst: float = 0) -> AlertConfig:
    return alert("chat", burst=burst, sink=WebhookConfig(url=url))


async def running(router: Router) -> asyncio.Task[None]:
    task = asyncio.create_task(router.run())
    await settle()
    return task


async def ended(task: asyncio.Task[None], router: Router) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await router.close(PATIENCE)


async def test_a_restart_while_the_receiver_is_away(receiver: Receiver, tmp_path: Path) -> None:
    """What could not be told before the restart is told after it, once, and then the end of the failure."""
    receiver.answers = [(500, {})] * 2
    bus = Bus()
    router = Router(bus, [chat(receiver.url())], SystemClock(), "lb1", spool=tmp_path)
    task = await running(router)
    bus.publish(down())
    await until(lambda: router.view[0].last_error)
    await ended(task, router)
    assert receiver.received == []
    assert len(os.listdir(tmp_path / "chat")) == 1  # noqa: PTH208 - of a pathlib.Path ruff says that it blocks

    bus = Bus()
    router = Router(bus, [chat(receiver.url())], SystemClock(), "lb1", spool=tmp_path)
    bus.publish(up())
    task = await running(router)
    await until(lambda: router.view[0].sent == 2)
    await ended(task, router)
    kinds = [json.loads(got.body)["events"][0]["kind"] for got in receiver.received]
    assert kinds == ["server_down", "server_up"]


async def test_what_becomes_of_messages_is_published(receiver: Receiver) -> None:
    """For the log and the history: what arrived with the answer, what did not with the reason. No alert tells of it."""
    bus = Bus()
    told = bus.subscribe()
    receiver.answers = [(200, {}), (403, {})]
    router = Router(bus, [chat(receiver.url())], SystemClock(), "lb1")
    task = await running(router)
    bus.publish(down())
    bus.publish(lost())
    await until(lambda: router.view[0].sent + router.view[0].failed == 2)
    await ended(task, router)
    sent, failed = [event for event in drained(told) if event.kind.startswith("alert_")]
    assert sent.text() == "alert chat: sent: web: server 10.0.0.1:80 down (HTTP 200 OK: ok)"
    assert failed.text() == (
        f"alert chat: webhook http://127.0.0.1:{receiver.port}: HTTP 403 Forbidden: ok; "
        "not tried again, lost: web: has no server left"
    )
    assert len(receiver.received) == 1


async def test_what_a_reload_takes_out_is_over(receiver: Receiver) -> None:
    """A server that is down and no longer configured is no failure any more, and its receivers are told so."""
    bus = Bus()
    router = Router(bus, [chat(receiver.url())], SystemClock(), "lb1")
    task = await running(router)
    bus.publish(down())
    await until(lambda: router.view[0].sent == 1)
    assert router.view[0].problems == 1
    router.update([chat(receiver.url())], [])
    await until(lambda: router.view[0].sent == 2)
    assert json.loads(receiver.received[1].body)["events"][0]["kind"] == "withdrawn"
    assert router.view[0].problems == 0
    await ended(task, router)


async def test_a_test_of_one_alert_or_of_all(receiver: Receiver, tmp_path: Path) -> None:
    """What each receiver answered, in the order of the configuration."""
    router = Router(Bus(), [chat(receiver.url()), writing(tmp_path, "ops")], SystemClock(), "lb1")
    assert await router.test() == (
        Trying("chat", arrived=True, answer="HTTP 200 OK: ok"),
        Trying("ops", arrived=True, answer="exit status 0, no output"),
    )
    assert lines(tmp_path / "ops") == ["test 1"]
    assert len(await router.test("chat")) == 1
    with pytest.raises(KeyError):
        await router.test("nobody")
    await router.close(PATIENCE)


def beating() -> bool:
    return any(task.get_name().startswith("heartbeat of") for task in asyncio.all_tasks())


async def test_a_heartbeat_by_its_own_url(receiver: Receiver) -> None:
    """At its pace, although messages wait for another receiver."""
    clock = ManualClock()
    sink = WebhookConfig(url="http://127.0.0.1:1/", heartbeat_url=receiver.url("/ping"))
    router = Router(Bus(), [alert(heartbeat=60, sink=sink)], clock, "lb1")
    task = await running(router)
    for count in (1, 2):
        await clock.advance(60)
        await until(lambda: not beating())  # only then there may be another beat
        assert len(receiver.received) == count
    await ended(task, router)
    assert [got.path for got in receiver.received] == ["/ping", "/ping"]


async def test_a_storm_is_routed_in_slices() -> None:
    """Ten thousand events at once leave the event loop its turn every few: a check is not delayed by them."""
    bus = Bus()
    alerts = [alert(f"a{n}", burst=600) for n in range(3)]
    router = Router(bus, alerts, SystemClock(), "lb1")
    task = await running(router)
    for number in range(5000):
        bus.publish(down(f"10.0.{number >> 8}.{number & 255}:80"))
    turns = 0
    while router._subscription._events:
        await asyncio.sleep(0)
        turns += 1
    assert turns >= 200
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    router.update([])
    await router.close(PATIENCE)
