import asyncio
import json
from pathlib import Path

import pytest

from healthd.alerts.router import Router, wants
from healthd.clock import ManualClock, SystemClock, settle
from healthd.config.values import AlertConfig, CommandConfig, MailConfig
from healthd.events import ALERTED_BY_DEFAULT, Bus, Event, Started, TableError
from tests.healthd.alerts.making import AT, alert, down, hook, lost, until, up

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
    await router.close(10)
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
    await router.close(1)


async def test_reload_keeps_what_an_unchanged_alert_has_collected(tmp_path: Path) -> None:
    """An open window goes on over a reload; the two events are one message."""
    bus, clock = Bus(), ManualClock()
    config = writing(tmp_path, "ops", burst=10)
    router = Router(bus, [config], clock, "lb1")
    bus.publish(down())
    router.update([config, writing(tmp_path, "new", burst=10)])
    await clock.advance(9)
    bus.publish(up())
    router.update([config])
    assert not lines(tmp_path / "ops")
    await clock.advance(1)
    await until(lambda: lines(tmp_path / "ops") == ["server_up 2"])
    await until(lambda: lines(tmp_path / "new") == ["server_up 1"])  # removed, and sent what it had
    await router_closed(router, clock)


async def test_a_removed_alert_gets_nothing_more(tmp_path: Path) -> None:
    """After a reload without it an alert is silent."""
    bus = Bus()
    router = Router(bus, [writing(tmp_path, "ops")], SystemClock(), "lb1")
    router.update([])
    bus.publish(down())
    await router.close(5)
    assert not lines(tmp_path / "ops")


async def test_close_flushes_an_open_window(tmp_path: Path) -> None:
    """What is being collected when healthd stops is told, without waiting for the burst."""
    bus = Bus()
    router = Router(bus, [writing(tmp_path, "ops", burst=600)], SystemClock(), "lb1")
    bus.publish(down())
    await router.close(10)
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
    router = Router(bus, [config], SystemClock(), "lb1")
    for _ in range(10_007):
        bus.publish(down(service="web"))
    await settle()
    await router.close(30)
    assert "alerts: 7 events came too fast to be routed" in caplog.messages
    told = [json.loads(line) for line in lines(out)]
    assert [message["lost"] for message in told] == [7] + [0] * 9
    assert sum(len(message["events"]) for message in told) == 10_000


async def test_a_mail_alert_is_served_by_mail(caplog: pytest.LogCaptureFixture) -> None:
    """The kind of sink follows from the configuration: here a port at which nobody listens is tried by SMTP."""
    bus = Bus()
    mail = MailConfig(to=("a@example.com",), sender="b@example.com", host="127.0.0.1", port=1)
    router = Router(bus, [alert(burst=0, sink=mail)], SystemClock(), "lb1")
    bus.publish(down())
    await router.close(10)
    assert "mail to a@example.com by 127.0.0.1 port 1: " in caplog.text
