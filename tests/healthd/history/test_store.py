from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from healthd.events import ServiceLost
from healthd.history import reader
from healthd.history.schema import OtherVersion, opened
from healthd.history.store import DAY, HOUR, MINUTE, STEPS, Retention, Store, row_of
from healthd.tally import Latency

NOW = 1_800_000_030.0
FOR_EVER = Retention(events=1e9, minutes=1e9, hours=1e9, days=1e9, size=10**12)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store(path)
    yield store
    store.close()


def lost(service: str, at: float = NOW) -> ServiceLost:
    return ServiceLost(at=at, service=service, consequence="nobody answers")


def latency(server: str = "10.0.0.1:80", outcomes: int = 60, total: float = 6.0, longest: float = 0.5) -> Latency:
    return Latency("web", server, "tcp", outcomes, 1, total, longest)


def test_events_come_back_as_they_were_newest_first(store: Store, path: Path) -> None:
    """Whole, with an id each, by which the next page is asked for."""
    store.add_events(row_of(lost(name).record()) for name in ("a", "b", "c"))
    first = reader.events(path, reader.EventQuery(limit=2))
    assert [event["service"] for event in first] == ["c", "b"]
    assert first[0] == {"id": 3, **lost("c").record()}
    rest = reader.events(path, reader.EventQuery(before=first[-1]["id"]))
    assert [event["service"] for event in rest] == ["a"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (reader.EventQuery(service="web"), ["web"]),
        (reader.EventQuery(service="w*"), ["web2", "web"]),
        (reader.EventQuery(kind="server_down"), []),
        (reader.EventQuery(since=NOW + 5), ["web2"]),
        (reader.EventQuery(until=NOW + 5), ["web"]),
        (reader.EventQuery(service="' OR 1 --"), []),
        (reader.EventQuery(limit=-1), ["web2"]),
    ],
)
def test_events_are_found_by_what_they_are_about(
    store: Store, path: Path, query: reader.EventQuery, found: list[str]
) -> None:
    """By names, patterns and times; whatever stands in a query is a value and never SQL."""
    store.add_events([row_of(lost("web").record()), row_of(lost("web2", NOW + 10).record())])
    assert [event["service"] for event in reader.events(path, query)] == found


def test_latencies_add_up_by_minute_hour_and_day(store: Store, path: Path) -> None:
    """Each step has the sum of what fell into it, and the longest of all."""
    for number in range(120):
        store.add_latencies(NOW + MINUTE * number, [latency(longest=0.5 if number else 2.0)])
    for step, counts in ((MINUTE, [60] * 120), (HOUR, None), (DAY, None)):
        query = reader.LatencyQuery(service="web", server="10.0.0.1:80", since=0, until=NOW + DAY, step=step)
        points = reader.latencies(path, query)
        assert sum(point.outcomes for point in points) == 7200
        assert sum(point.fails for point in points) == 120
        assert max(point.longest for point in points) == 2.0
        assert all(point.mean == pytest.approx(0.1) and point.at % step == 0 for point in points)
        if counts:
            assert [point.outcomes for point in points] == counts


ABOUT = (("web", "10.0.0.1:80"), ("web", "10.0.0.2:80"), ("dns", "10.0.0.1:53"))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (reader.EventQuery(service="web", server="10.0.0.1:80"), ["many", "own"]),
        (reader.EventQuery(service="web", server="10.0.0.1:80", limit=1), ["many"]),
        (reader.EventQuery(service="web", server="10.0.0.1:80", before=2), ["own"]),
        (reader.EventQuery(service="web", server="10.0.0.1:80", since=NOW + 5), ["many"]),
        (reader.EventQuery(service="web", server="10.0.0.1:80", kind="none"), []),
        (reader.EventQuery(server="10.0.0.1"), ["many", "own"]),
        (reader.EventQuery(server="10.0.0.2"), ["many"]),
        (reader.EventQuery(server="10.*"), ["many", "own"]),
        (reader.EventQuery(service="dns"), ["many"]),
        (reader.EventQuery(service="dns", server="10.0.0.2"), []),
        (reader.EventQuery(server="10.0.0.3"), []),
        (reader.EventQuery(), ["other", "many", "own"]),
    ],
)
def test_an_event_is_found_by_each_server_that_it_tells_of(
    store: Store, path: Path, query: reader.EventQuery, found: list[str]
) -> None:
    """As if it were its own, once, and in its place among the others."""
    own, many, other = (lost(name, NOW + 10 * number).record() for number, name in enumerate(("web", "", "other")))
    own |= {"server": "10.0.0.1:80", "consequence": "own"}
    rows = [row_of(own), row_of(many | {"consequence": "many"}, ABOUT), row_of(other | {"consequence": "other"})]
    store.add_events(rows)
    assert [event["consequence"] for event in reader.events(path, query)] == found


def test_what_an_event_tells_of_goes_with_it(store: Store, path: Path) -> None:
    """Nothing is left of it in the file."""
    store.add_events([row_of(lost("", NOW - 100).record(), ABOUT), row_of(lost("").record(), ABOUT[:1])])
    store.prune(NOW, replace(FOR_EVER, events=50))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM about").fetchall() == [(2, *ABOUT[0])]


def test_a_file_of_before_is_gone_on_with(store: Store, path: Path) -> None:
    """It has no list of what else an event tells of; that begins when it is opened."""
    store.add_events([row_of(lost("web").record())])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE about")
        connection.execute("DROP TRIGGER about_gone")
    with closing(Store(path)) as newer:
        newer.add_events([row_of(lost("").record(), ABOUT)])
    assert [event["id"] for event in reader.events(path, reader.EventQuery(service="web"))] == [2, 1]


def test_latencies_are_kept_in_every_step(store: Store, path: Path) -> None:
    """What is written has each of STEPS and no other."""
    store.add_latencies(NOW, [latency()])
    with sqlite3.connect(path) as connection:
        written = [step for (step,) in connection.execute("SELECT step FROM latency ORDER BY step")]
    connection.close()
    assert written == sorted(STEPS)


def test_what_is_too_old_is_taken_out(store: Store, path: Path) -> None:
    """Events and each step of latencies have a time of their own."""
    store.add_events([row_of(lost("old", NOW - 100).record()), row_of(lost("new").record())])
    store.add_latencies(NOW - 2 * DAY, [latency()])
    store.add_latencies(NOW, [latency()])
    store.prune(NOW, Retention(events=50, minutes=DAY, hours=3 * DAY, days=9 * DAY, size=10**12))
    assert [event["service"] for event in reader.events(path, reader.EventQuery())] == ["new"]
    for step, count in ((MINUTE, 1), (HOUR, 2), (DAY, 2)):
        query = reader.LatencyQuery(service="web", server="10.0.0.1:80", since=0, until=NOW + DAY, step=step)
        assert len(reader.latencies(path, query)) == count


def test_a_file_that_is_too_large_loses_its_oldest_minutes_first(store: Store, path: Path) -> None:
    """The size is kept; events and days go last."""
    store.add_events(row_of(lost("web").record()) for _ in range(50))
    for number in range(60):
        store.add_latencies(NOW + MINUTE * number, [latency(f"10.0.0.{host}:80") for host in range(100)])
    full = store.size
    store.prune(NOW, replace(FOR_EVER, size=full // 2))
    assert store.size <= full // 2
    query = reader.LatencyQuery(service="web", server="10.0.0.1:80", since=0, until=NOW + DAY, step=MINUTE)
    points = reader.latencies(path, query)
    assert 0 < len(points) < 60
    assert points[-1].at == int(NOW + MINUTE * 59) // MINUTE * MINUTE
    assert len(reader.events(path, reader.EventQuery())) == 50
    store.prune(NOW, replace(FOR_EVER, size=1))
    assert reader.events(path, reader.EventQuery()) == []


def test_the_file_is_nobody_elses(store: Store, path: Path) -> None:
    """Evidence of failures may hold what servers said: others on the machine do not read it."""
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert store.size > 0


def test_a_file_of_another_release_is_left_alone(path: Path) -> None:
    """It is not understood, so it is not touched, and the message says what to do."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(OtherVersion, match=r"has the form 99, and this release of healthd knows 1; move it away"):
        opened(path)


def test_without_a_file_a_question_says_so(tmp_path: Path) -> None:
    """A reader never makes the file."""
    with pytest.raises(reader.Unanswered, match="cannot be read"):
        reader.events(tmp_path / "none.db", reader.EventQuery())
    assert list(tmp_path.iterdir()) == []


def test_a_question_that_goes_through_too_much_is_given_up(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No question can keep a thread busy for ever."""
    store.add_events(row_of(lost("web").record()) for _ in range(5000))
    monkeypatch.setattr(reader, "_STEPS_BETWEEN_LOOKS", 1000)
    monkeypatch.setattr(reader, "MOST_STEPS", 3000)
    with pytest.raises(reader.Unanswered, match="ask for less"):
        reader.events(path, reader.EventQuery(service="*x*x*"))


def test_brackets_are_those_of_ipv6(store: Store, path: Path) -> None:
    """A name with them is found by itself, and in a pattern they stand for themselves."""
    store.add_events(row_of(lost(name).record()) for name in ("[::1]:80", "1"))
    for pattern in ("[::1]:80", "[::1]*"):
        assert [event["service"] for event in reader.events(path, reader.EventQuery(service=pattern))] == ["[::1]:80"]


@pytest.mark.parametrize(
    ("server", "found"),
    [
        ("10.0.0.1:80", ["10.0.0.1:80"]),
        ("10.0.0.1", ["10.0.0.1:8080", "10.0.0.1:80"]),
        ("10.0.0.?", ["10.0.0.1:8080", "10.0.0.1:80"]),
        ("10.0.0.*", ["10.0.0.12:80", "10.0.0.1:8080", "10.0.0.1:80"]),
        ("2001:db8::1", ["[2001:db8::1]:80"]),
        ("2001:db8::?", ["[2001:db8::1]:80"]),
        ("2001:*", ["[2001:db8::1]:80"]),
        ("[2001:db8::1]:80", ["[2001:db8::1]:80"]),
        ("*:80", ["[2001:db8::1]:80", "10.0.0.12:80", "10.0.0.1:80"]),
        ("10.0.0", []),
    ],
)
def test_a_server_is_found_by_its_address_too(store: Store, path: Path, server: str, found: list[str]) -> None:
    """With a port it is that one, without on every port; no other one begins alike."""
    names = ("10.0.0.1:80", "10.0.0.1:8080", "10.0.0.12:80", "[2001:db8::1]:80", "")
    store.add_events(row_of({**lost("web").record(), "server": name}) for name in names)
    assert [event["server"] for event in reader.events(path, reader.EventQuery(server=server))] == found
