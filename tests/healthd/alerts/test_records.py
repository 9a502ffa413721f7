from __future__ import annotations

import contextlib
import dataclasses
import json
from typing import Any

import pytest

from healthd.alerts.batch import Subject
from healthd.alerts.ledger import Ledger
from healthd.alerts.notices import Flapping, Heartbeat, Steady, SteadyDown, Trial, Withdrawn
from healthd.alerts.records import batch_from_json, batch_to_json, known_to_json, remembered
from healthd.alerts.wording import body
from healthd.events import CheckUnknown, Event, MaintenanceBegan, Reloaded, TableEdited, TableError
from tests.healthd.alerts.making import AT, FINE, alert, batch, down, lost, up

EVENTS: list[Event] = [
    down(),
    down(detail="evil\n\x1b[2J \udcff"),
    up(),
    lost(),
    CheckUnknown(at=AT, service="web", server="s", check="c", outcome=FINE),
    TableError(at=AT, errors=("a", "b"), retry_in=1),
    Reloaded(at=AT, changes=()),
    MaintenanceBegan(at=AT, service="web", server="s", who="ada"),
    Flapping(at=AT, service="web", server="s", failures=3, seconds=5, evidence="e", calm=600),
    Steady(at=AT, service="web", server="s"),
    SteadyDown(at=AT, service="web", server="s", evidence="e"),
    Withdrawn(at=AT, service="web", about=("server", "web", "s")),
    Heartbeat(at=AT, host="h", problems=0, every=60),
    Trial(at=AT, alert="a", host="h"),
]


def test_a_message_comes_back_as_it_was() -> None:
    """Every kind of event, and everything that is known about the message; its age counts from when it was made."""
    since: dict[Subject, float] = {("server", "web", "s"): AT - 5}
    made = dataclasses.replace(
        batch(*EVENTS, lost=3), held=2, since=since, reminders=frozenset({("service", "web")}), at=AT
    )
    found = batch_from_json(batch_to_json(made, frozenset({"a", "b"})), monotonic=500.0, wall=AT + 100)
    assert found.batch == dataclasses.replace(made, ready=400.0)
    assert found.served == {"a", "b"}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind)
def test_every_field_is_looked_at(event: Event) -> None:
    """A file in which one value is of another type, or missing, is refused or means nothing worse: it never raises."""
    good = json.loads(batch_to_json(batch(event), frozenset()))
    for key in list(good["events"][0]):
        values: list[Any] = [None, 5, [], {}, "x", [[[]]]]
        for value in values:
            bad = json.loads(json.dumps(good))
            bad["events"][0][key] = value
            _read(bad)
        bad = json.loads(json.dumps(good))
        del bad["events"][0][key]
        _read(bad)


def test_a_field_that_a_release_before_did_not_have_is_as_if_empty() -> None:
    """Messages wait over an update."""
    edited = TableEdited(at=AT, edits=("-e -t 10.0.0.1:80 -r 10.0.0.2:80 -w 0",))
    content = json.loads(batch_to_json(batch(edited), frozenset()))
    del content["events"][0]["about"]
    assert batch_from_json(json.dumps(content).encode(), monotonic=0.0, wall=AT).batch.events == (edited,)


def _read(content: object) -> None:
    with contextlib.suppress(ValueError):
        assert body(batch_from_json(json.dumps(content).encode(), monotonic=0.0, wall=AT).batch, "lb1")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"format": 2}',
        b'{"format": 1, "at": "soon"}',
        b'{"format": 1, "at": 1}',
    ],
)
def test_what_is_no_message_is_refused(raw: bytes) -> None:
    """With a ValueError and nothing else."""
    with pytest.raises(ValueError, match=r"\w"):
        batch_from_json(raw, monotonic=0.0, wall=AT)
    with pytest.raises(ValueError, match=r"\w"):
        remembered(raw)


def test_an_unknown_kind_of_event_is_refused() -> None:
    """Of another version of healthd, perhaps."""
    content = json.loads(batch_to_json(batch(down()), frozenset()))
    content["events"][0]["kind"] = "server_sideways"
    with pytest.raises(ValueError, match="unknown kind of event 'server_sideways'"):
        batch_from_json(json.dumps(content).encode(), monotonic=0.0, wall=AT)


def test_what_receivers_know_comes_back() -> None:
    """Failures that were told and last, and who is in maintenance; nothing that was not told."""
    ledger = Ledger(alert())
    ledger.delivered(ledger.take(down(at=AT - 60), 0.0), 0.0)
    ledger.take(lost(), 0.0)
    ledger.take(MaintenanceBegan(at=AT, service="web", server="s", who="ada"), 0.0)
    told, quiet = remembered(known_to_json(ledger.told, ledger.quiet))
    assert [(problem.failure, problem.since, problem.told) for problem in told] == [(down(at=AT - 60), AT - 60, True)]
    assert quiet == {("web", "s")}
