from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from checkers.base import Outcome, Status, passed
from healthd.events import Bus, TableDrift, TableEdited
from healthd.metrics.daemon import EventCounter
from healthd.metrics.page import Metrics
from healthd.metrics.text import Family, histogram, labelled, lines
from healthd.model import Connections, Counts
from healthd.overrides import Admin, Override
from tests.support.building import SORRY, A, B, server, service
from tests.support.controlling import Running, table
from tests.support.metrics import INSIDE


@pytest.fixture
def run() -> Running:
    run = Running(service(server(A, 2), B, fallback=SORRY), actual=table((A, 2)))
    run.record(A, Outcome(Status.PASS, "L7OK", "", 0.02))
    run.ask(A, "PF")
    run.ask(B, "F")
    return run


async def page(run: Running, counter: EventCounter | None = None, counts: Counts | None = None) -> str:
    async def counted() -> Counts:
        return counts or {}

    metrics = Metrics(counter or EventCounter(Bus()), run.controller.snapshot_slices, lambda: INSIDE, counted)
    return b"".join([piece async for piece in metrics.pieces()]).decode()


def samples(text: str) -> Iterator[tuple[str, dict[str, str], float]]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


def value(text: str, name: str, **labels: str) -> float:
    found = [number for known, has, number in samples(text) if known == name and labels.items() <= has.items()]
    assert len(found) == 1, (name, labels, found)
    return found[0]


async def test_a_page_says_how_services_and_servers_are(run: Running) -> None:
    """In numbers, each with the names of its service and server."""
    text = await page(run)
    a, b = {"service": "web", "server": str(A)}, {"service": "web", "server": str(B)}
    assert [value(text, f"healthd_realserver_{name}", **a) for name in ("up", "weight", "configured_weight")] == [
        1,
        2,
        2,
    ]
    assert value(text, "healthd_realserver_up", **b) == 0
    assert value(text, "healthd_realserver_state", **b) == 1
    assert 'server="10.0.0.2:80",state="down"' in text
    assert value(text, "healthd_service_healthy_ratio", service="web") == 0.5
    assert value(text, "healthd_service_available", service="web") == 1
    assert value(text, "healthd_service_lost", service="web") == 0
    assert value(text, "healthd_check_outcomes_total", service="web", status="pass", code="L7OK") == 1
    assert value(text, "healthd_check_duration_seconds_bucket", service="web", le="0.025") == 4
    assert value(text, "healthd_check_duration_seconds_count", service="web") == 4


async def test_a_server_that_is_held_shows_it_and_one_out_of_the_table_has_no_weight(run: Running) -> None:
    """The state is the operator's while it is held; a weight is one that is to be in the table."""
    run.controller.override_all("web", {A: Override(admin=Admin.DRAIN, cut=True)})
    text = await page(run)
    assert value(text, "healthd_realserver_state", server=str(A)) == 1
    assert 'state="drain"' in text
    assert not [
        each for each in samples(text) if each[0] == "healthd_realserver_weight" and each[1]["server"] == str(A)
    ]
    assert value(text, "healthd_service_fallback_active", service="web") == 1


async def test_a_degraded_server_shows_it(run: Running) -> None:
    """It is up all the same."""
    run.record(A, passed("L7OK", "expires in 9 days", degraded=True))
    text = await page(run)
    assert value(text, "healthd_realserver_degraded", server=str(A)) == 1
    assert value(text, "healthd_realserver_up", server=str(A)) == 1
    assert value(text, "healthd_realserver_degraded", server=str(B)) == 0


async def test_a_page_says_how_the_daemon_is(run: Running) -> None:
    """Its schedule, its table, its channels and what it has told."""
    bus = Bus()
    counter = EventCounter(bus)
    bus.publish(TableEdited(at=0, edits=("a", "b")))
    bus.publish(TableDrift(at=0, differences=("c",)))
    counter.drain()
    text = await page(run, counter)
    assert value(text, "healthd_info", version="1.2.3") == 1
    assert value(text, "healthd_table_edits_total") == 2
    assert value(text, "healthd_table_drift_total") == 1
    assert value(text, "healthd_events_total", kind="table_edited") == 1
    assert value(text, "healthd_start_lateness_seconds", share="0.99") == 0.004
    assert [value(text, f"healthd_{name}") for name in ("frozen", "checks_waiting", "table_errors")] == [1, 1, 2]
    assert value(text, "healthd_alerts_held_back_total", channel="ops") == 4
    assert value(text, "process_resident_memory_bytes") > 10**6


async def test_the_kernels_counts_are_shown_where_they_are_known(run: Running) -> None:
    """By service and server; without them there is no family, as zero would be a lie."""
    assert "healthd_realserver_connections" not in await page(run)
    text = await page(run, counts={"192.168.7.110:80/tcp": {A: Connections(1, 2, 3)}})
    assert value(text, "healthd_realserver_connections", server=str(A), kind="active") == 1
    assert value(text, "healthd_realserver_connections", server=str(A), kind="persistent") == 3


async def test_a_large_page_comes_in_pieces(run: Running) -> None:
    """Between two pieces everything else has its turn."""
    run.reload(service(*(A._replace(port=port) for port in range(1, 1001))))
    metrics = Metrics(EventCounter(Bus()), run.controller.snapshot_slices, lambda: INSIDE, _nothing)
    pieces = [piece async for piece in metrics.pieces()]
    assert len(pieces) > 3
    assert max(len(piece.splitlines()) for piece in pieces) < 2000


async def _nothing() -> Counts:
    return {}


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.text()))
def test_any_text_can_be_a_label(labels: dict[str, str]) -> None:
    """What the form gives a meaning is escaped."""
    text = "".join(lines(Family("x", "gauge", "y", [(labelled(labels), 1)])))
    ((name, found, number),) = samples(text)
    assert (name, found, number) == ("x", labels, 1)


def test_a_histogram_is_cumulative() -> None:
    """Each class holds those below it, and the last one all."""
    assert list(histogram({}, (1.0, 2.0), (3, 4, 5), 9.5)) == [
        ('_bucket{le="1.0"}', 3),
        ('_bucket{le="2.0"}', 7),
        ('_bucket{le="+Inf"}', 12),
        ("_sum", 9.5),
        ("_count", 12),
    ]
