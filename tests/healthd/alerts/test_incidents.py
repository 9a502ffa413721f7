from __future__ import annotations

import asyncio
import dataclasses
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from healthd.alerts.batch import Batch
from healthd.alerts.channel import Channel
from healthd.alerts.incidents import alertmanager, pagerduty, pagerduty_actions
from healthd.alerts.notices import Heartbeat, Trial
from healthd.alerts.webhook import WebhookSink
from healthd.clock import SystemClock
from healthd.config.values import WebhookConfig
from healthd.events import Event, ReloadFailed, Severity
from tests.healthd.alerts.alertmanager import running
from tests.healthd.alerts.making import AT, alert, batch, down, lost, up

Alerts = Callable[[], list[dict[str, Any]]]


@pytest.fixture(scope="module")  # not longer: other tests count this process's children
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("alertmanager")) as url:
        yield url


def get(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{url}/api/v2/alerts", timeout=60) as answer:
        found: list[dict[str, Any]] = json.loads(answer.read())
    return found


async def names(url: str) -> list[tuple[str, str, str]]:
    found = await asyncio.to_thread(get, url)
    return sorted(
        (each["labels"]["alertname"], each["labels"].get("server", ""), each["annotations"]["summary"])
        for each in found
    )


async def eventually(url: str, expected: list[tuple[str, str, str]]) -> None:
    async with asyncio.timeout(60):
        while await names(url) != expected:  # noqa: ASYNC110 - another process sets no asyncio.Event
            await asyncio.sleep(0.05)


def channel_to(url: str, *, repeat: float = 60.0) -> Channel:
    sink = WebhookConfig(url=f"{url}/api/v2/alerts", format="alertmanager")
    clock = SystemClock()
    config = alert(burst=0, sink=sink, repeat=repeat)
    return Channel(config, lambda _: WebhookSink(sink, clock, "lb1", refresh=repeat), clock, host="lb1")


async def test_alertmanager_fires_and_resolves(manager: str) -> None:
    """A real one: failures are shown with labels and words, and are gone from its list when they are over."""
    channel = channel_to(manager)
    now = time.time()
    channel.put(down(at=now - 2))
    channel.put(lost())
    server = ("HealthdServerDown", "10.0.0.1:80", "web: server 10.0.0.1:80 down")
    await eventually(manager, [server, ("HealthdServiceLost", "", "web: has no server left")])
    shown = next(each for each in await asyncio.to_thread(get, manager) if "server" in each["labels"])
    assert shown["labels"] == {
        "alertname": "HealthdServerDown",
        "director": "lb1",
        "server": "10.0.0.1:80",
        "service": "web",
        "severity": "warning",
    }
    assert shown["annotations"]["description"] == down().text()
    assert shown["status"]["state"] == "active"
    channel.put(up(at=time.time()))
    await eventually(manager, [("HealthdServiceLost", "", "web: has no server left")])
    channel.stop()
    await channel.finished()


async def test_alertmanager_forgets_what_is_no_longer_repeated(manager: str) -> None:
    """When healthd itself is gone its failures end by themselves; while it repeats them they stay."""
    channel = channel_to(manager, repeat=0.5)
    channel.put(down("10.0.0.7:80", at=time.time()))
    mine = ("HealthdServerDown", "10.0.0.7:80", "web: server 10.0.0.7:80 down")
    async with asyncio.timeout(60):
        while mine not in await names(manager):  # noqa: ASYNC110 - likewise
            await asyncio.sleep(0.05)
    channel.stop()
    await channel.finished()
    async with asyncio.timeout(60):
        while mine in await names(manager):  # noqa: ASYNC110 - likewise
            await asyncio.sleep(0.1)


async def test_alertmanager_takes_a_test(manager: str) -> None:
    """Shown for a minute."""
    channel = channel_to(manager)
    assert (await channel.test()).answer == "HTTP 200 OK"
    assert "HealthdTest" in [name for name, *_ in await names(manager)]


def posted(*events: Event, now: float = AT + 100, **more: Any) -> list[dict[str, Any]]:
    made: Batch = dataclasses.replace(batch(*events), **more)
    found: list[dict[str, Any]] = json.loads(alertmanager(made, "lb1", now, 60.0))
    return found


def test_a_failure_and_its_end_have_the_same_labels() -> None:
    """And the same beginning: Alertmanager knows an alert by its labels. A failure lasts four repetitions."""
    (firing,) = posted(down(at=AT))
    (resolved,) = posted(up(at=AT + 50), since={("server", "web", "10.0.0.1:80"): AT})
    assert firing["labels"] == resolved["labels"]
    assert firing["startsAt"] == resolved["startsAt"] == "2027-01-15T08:00:00.000Z"
    assert firing["endsAt"] == "2027-01-15T08:05:40.000Z"
    assert resolved["endsAt"] == "2027-01-15T08:00:50.000Z"


def test_what_has_no_end_passes() -> None:
    """A refused configuration is shown for five minutes, a sign of life for four of them."""
    (refused,) = posted(ReloadFailed(at=AT, errors=("e",)), now=AT)
    assert (refused["labels"]["alertname"], refused["labels"]["severity"]) == ("HealthdReloadFailed", "critical")
    assert refused["endsAt"] == "2027-01-15T08:05:00.000Z"
    (alive,) = posted(Heartbeat(at=AT, host="lb1", problems=0, every=300), now=AT)
    assert (alive["labels"]["alertname"], alive["endsAt"]) == ("HealthdRunning", "2027-01-15T08:20:00.000Z")


def test_a_clock_that_was_set_back_gives_no_end_before_the_beginning() -> None:
    """Alertmanager would refuse the whole message."""
    (resolved,) = posted(up(at=AT - 50), now=AT, since={("server", "web", "10.0.0.1:80"): AT + 10})
    assert resolved["startsAt"] <= resolved["endsAt"]


def event(*events: Event) -> list[dict[str, Any]]:
    made = batch(*events)
    return [
        json.loads(pagerduty(line, made, "lb1", "R0UTING", resolve=resolve))
        for line in made.lines()
        for resolve in pagerduty_actions(line)
    ]


def test_pagerduty_trigger() -> None:
    """As the Events API v2 has it; in the payload summary, source and severity are required."""
    (trigger,) = event(down())
    details = trigger["payload"].pop("custom_details")
    assert details == {"text": down().text(), "alert": "ops", "events": 1}
    assert trigger == {
        "routing_key": "R0UTING",
        "event_action": "trigger",
        "dedup_key": "healthd/lb1/server/web/10.0.0.1:80",
        "client": "healthd",
        "payload": {
            "summary": "web: server 10.0.0.1:80 down",
            "source": "lb1",
            "severity": "warning",
            "timestamp": "2027-01-15T08:00:00.000Z",
            "component": "10.0.0.1:80",
            "group": "web",
            "class": "L4CON",
        },
    }


def test_pagerduty_resolve() -> None:
    """By the key of the failure, and with nothing else."""
    assert event(up()) == [
        {
            "routing_key": "R0UTING",
            "event_action": "resolve",
            "dedup_key": "healthd/lb1/server/web/10.0.0.1:80",
            "client": "healthd",
        }
    ]


def test_pagerduty_severities_and_bounds() -> None:
    """Critical is critical; keys and summaries are within what PagerDuty takes."""
    (trigger,) = event(lost("s" * 5000))
    assert trigger["payload"]["severity"] == "critical"
    assert len(trigger["payload"]["summary"]) <= 1024
    assert len(trigger["dedup_key"]) == 255
    assert trigger["dedup_key"] != event(lost("s" * 5001))[0]["dedup_key"]
    assert Severity.CRITICAL is lost().severity


def test_a_test_takes_itself_back() -> None:
    """Nobody has to resolve it."""
    actions = [each["event_action"] for each in event(Trial(at=AT, alert="ops", host="lb1"))]
    assert actions == ["trigger", "resolve"]
