from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from healthd import events
from healthd.clock import settle
from healthd.events import ALERTED_BY_DEFAULT, KINDS, Bus, Event, Severity, one_line
from tests.support.acts import ACTS
from tests.support.building import FAIL, UNKNOWN

SERVER: dict[str, Any] = {
    "service": "web",
    "server": "10.0.0.1:80",
    "check": "tcp",
    "old": "up",
    "new": "down",
    "outcomes": (FAIL, FAIL),
    "edits": ("-e ...",),
    "available": 1,
    "configured": 2,
}

EXAMPLES: list[tuple[Event, str]] = [
    (
        events.ServerDown(at=1.5, **SERVER),
        (
            "web: server 10.0.0.1:80 up -> down after 2 outcomes of check tcp: L4CON refused; "
            "1 of 2 servers available; table: -e ..."
        ),
    ),
    (
        events.ServerUp(at=1.5, **{**SERVER, "old": "down", "new": "up", "outcomes": (), "check": "", "edits": ()}),
        "web: server 10.0.0.1:80 down -> up; 1 of 2 servers available; table: nothing to change",
    ),
    (
        events.ServerAdmitted(at=1.5, **{**SERVER, "old": "unknown", "new": "up", "outcomes": (FAIL,)}),
        (
            "web: server 10.0.0.1:80 unknown -> up after 1 outcome of check tcp: L4CON refused; "
            "1 of 2 servers available; table: -e ..."
        ),
    ),
    (
        events.WeightChanged(
            at=1.5,
            service="web",
            server="10.0.0.1:80",
            check="agent",
            old_weight=100,
            new_weight=50,
            configured=100,
            degraded=True,
            outcome=FAIL,
        ),
        "web: server 10.0.0.1:80 degraded, weight 100 -> 50 (100 configured): check agent: L4CON refused",
    ),
    (
        events.ServiceLost(at=1.5, service="web", consequence="nobody answers"),
        "web: no real server left; nobody answers",
    ),
    (
        events.ServiceRecovered(at=1.5, service="web", available=1, configured=2),
        "web: has a real server again; 1 of 2 available",
    ),
    (
        events.FallbackIn(at=1.5, service="web", fallback="127.0.0.1:80"),
        "web: fallback server 127.0.0.1:80 takes over",
    ),
    (
        events.FallbackOut(at=1.5, service="web", fallback="127.0.0.1:80"),
        "web: fallback server 127.0.0.1:80 is withdrawn",
    ),
    (
        events.CheckUnknown(at=1.5, service="web", server="10.0.0.1:80", check="tcp", outcome=UNKNOWN),
        "web: server 10.0.0.1:80 could not be checked (tcp): SOCKERR out of descriptors; state kept",
    ),
    (
        events.WorkerLost(at=1.5, worker="worker 1 of 2", reason="exit status 3", checks=1, in_a_row=1, retry_in=0.0),
        "worker 1 of 2 was lost: exit status 3; it is started again at once; 1 check unknown until then, state kept",
    ),
    (
        events.WorkerLost(at=1.5, worker="worker 1 of 2", reason="it hung", checks=5000, in_a_row=4, retry_in=2.0),
        (
            "worker 1 of 2 was lost: it hung (at once after its start, 4 times in a row); it is started again in 2 s; "
            "5000 checks unknown until then, state kept"
        ),
    ),
    (events.TableEdited(at=1.5, edits=("-D -f 1", "-D -f 2")), "table edited: -D -f 1, -D -f 2"),
    (
        events.TableDrift(at=1.5, differences=("one", "two")),
        "table was changed by someone else, repairing: one; two",
    ),
    (
        events.TableError(at=1.5, errors=("no IPVS",), retry_in=4.0),
        "table not as it should be, next try in 4 s: no IPVS",
    ),
    (events.TableRestored(at=1.5), "table is as it should be again"),
    (events.Reloaded(at=1.5, changes=()), "configuration reloaded: nothing changed"),
    (events.Reloaded(at=1.5, changes=("service a added",)), "configuration reloaded: service a added"),
    (
        events.ReloadFailed(at=1.5, errors=("a.toml: bad", "b.toml: bad")),
        "configuration not reloaded, the old one goes on: a.toml: bad; b.toml: bad",
    ),
    (events.Started(at=1.5, version="1.0", services=2, servers=5), "healthd 1.0 started: 2 services, 5 servers"),
    (events.Stopped(at=1.5, reason="SIGTERM"), "healthd stopped: SIGTERM"),
    *ACTS,
]

SOME = [events.Stopped(at=float(number), reason=str(number)) for number in range(5)]


def test_every_kind_has_an_example_here() -> None:
    """So that the tests below are about all of them."""
    assert {event.kind for event, _ in EXAMPLES} == set(KINDS)


def test_a_line_does_not_grow_with_the_number_of_servers() -> None:
    """Of many edits the line has the first and says how many there are more; the record has them all."""
    event = events.TableEdited(at=1.5, edits=tuple(f"-D -f {mark}" for mark in range(10_000)))
    assert event.text().startswith("table edited: -D -f 0, -D -f 1, ")
    assert event.text().endswith("-D -f 19 and 9980 more")
    assert len(event.record()["edits"]) == 10_000


def test_what_tells_of_several_servers_names_each_with_its_service() -> None:
    """Edits are of many services, or of services themselves, checks asked for of one; else it is its server or none."""
    edited = events.TableEdited(at=1.5, edits=("-d ...",), about=("web/10.0.0.1:80", "a/b/[2001:db8::1]:80", "web/"))
    asked = events.CheckAsked(at=1.5, service="web", who="root", servers=("10.0.0.1:80", "10.0.0.2:80"))
    assert list(edited.tells_of) == [("web", "10.0.0.1:80"), ("a/b", "[2001:db8::1]:80"), ("web", "")]
    assert list(asked.tells_of) == [("web", "10.0.0.1:80"), ("web", "10.0.0.2:80")]
    assert list(events.TableRestored(at=1.5).tells_of) == []


@pytest.mark.parametrize(("event", "text"), EXAMPLES)
def test_every_kind_has_a_text_that_needs_no_other_line(event: Event, text: str) -> None:
    """It says which service or server it is about, what happened, and why."""
    assert event.text() == text


@pytest.mark.parametrize(("event", "text"), EXAMPLES)
def test_every_record_is_ready_for_json(event: Event, text: str) -> None:
    """A program gets every field under its name, the kind, the severity in words, and the text."""
    record = event.record()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["text"] == text
    assert (record["kind"], record["at"]) == (event.kind, 1.5)
    assert record["severity"] in {"info", "warning", "critical"}


def test_a_record_holds_the_evidence() -> None:
    """Each outcome with status, code, detail and duration."""
    record = events.CheckUnknown(at=1.5, service="web", server="s", check="c", outcome=UNKNOWN).record()
    assert record["outcome"] == {
        "status": "unknown",
        "code": "SOCKERR",
        "detail": "out of descriptors",
        "seconds": 0.0,
    }


def test_what_is_alerted_by_default_exists() -> None:
    """And a first good verdict at the start alarms nobody."""
    assert set(KINDS) > ALERTED_BY_DEFAULT
    assert "server_admitted" not in ALERTED_BY_DEFAULT


def test_severities_are_those_of_the_logging_module() -> None:
    """The numbers can be handed to it as they are."""
    assert {severity.name: severity.value for severity in Severity} == {"INFO": 20, "WARNING": 30, "CRITICAL": 50}


def test_every_subscription_gets_every_event_in_order() -> None:
    """From its beginning on; what happened before is not repeated."""
    bus = Bus()
    first = bus.subscribe()
    bus.publish(SOME[0])
    second = bus.subscribe()
    bus.publish(SOME[1])
    assert [first.get_nowait(), first.get_nowait(), first.get_nowait()] == [SOME[0], SOME[1], None]
    assert [second.get_nowait(), second.get_nowait()] == [SOME[1], None]


def test_rule_10_of_the_design_a_reader_that_falls_behind_costs_nobody_anything() -> None:
    """Publishing never waits: what a slow reader has no room for is dropped, oldest first, and counted."""
    bus = Bus()
    slow, quick = bus.subscribe(limit=2), bus.subscribe(limit=100)
    for event in SOME:
        bus.publish(event)
    assert slow.dropped == 3
    assert [slow.get_nowait(), slow.get_nowait(), slow.get_nowait()] == [SOME[3], SOME[4], None]
    assert (quick.dropped, quick.get_nowait()) == (0, SOME[0])


async def test_a_reader_waits_for_the_next_event() -> None:
    """And gets those that came meanwhile one by one."""
    bus = Bus()
    subscription = bus.subscribe()
    waiting = asyncio.create_task(subscription.get())
    await settle()
    assert not waiting.done()
    for event in SOME:
        bus.publish(event)
    assert await waiting == SOME[0]
    assert [await subscription.get() for _ in SOME[1:]] == SOME[1:]


def test_no_text_can_forge_a_line() -> None:
    """What cannot be printed is escaped, what is too long is cut, and the rest stays as it is."""
    assert one_line("a\nb\x1b[31m\u2028") == "a\\nb\\x1b[31m\\u2028"
    assert one_line("für 10 €") == "für 10 €"
    assert (one_line("abcdefgh", 8), one_line("abcdefghi", 8)) == ("abcdefgh", "abcde...")
