from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from checkers.base import Outcome, Status, passed
from healthd.events import Bus, ServerDown, ServerEvent, ServerUp, TableDrift, TableEdited, TableError
from healthd.metrics import daemon
from healthd.metrics.daemon import MOST_TRANSITIONS, EventCounter
from healthd.metrics.page import Metrics
from healthd.metrics.text import Family, histogram, labelled, lines
from healthd.model import Connections, Counts, Endpoint
from healthd.overrides import Admin, Override
from healthd.plan import JobId
from healthd.snapshot import STATES
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
    assert {state: value(text, "healthd_realserver_state", state=state, **b) for state in STATES} == {
        **dict.fromkeys(STATES, 0),
        "down": 1,
    }
    assert value(text, "healthd_service_healthy_ratio", service="web") == 0.5
    assert value(text, "healthd_service_available", service="web") == 1
    assert value(text, "healthd_service_lost", service="web") == 0
    assert [value(text, "healthd_probe_success", server=str(server)) for server in (A, B)] == [0, 0]
    assert value(text, "healthd_realserver_health_counter", **a) == 1
    assert value(text, "healthd_probe_results_total", service="web", status="pass", code="L7OK") == 1
    assert value(text, "healthd_probe_duration_seconds_bucket", service="web", phase="whole", le="0.025") == 4
    assert value(text, "healthd_probe_duration_seconds_count", service="web", phase="whole") == 4


async def test_the_phases_of_checks_are_beside_the_whole(run: Running) -> None:
    """Those that there were. A check that does not tell of any is in none."""
    job = run.plan.jobs[JobId(f"web/{A}/tcp")]
    run.controller.record(job, Outcome(Status.PASS, "L7OK", "", 0.25), {"connect": 0.05, "talk": 0.2})
    text = await page(run)
    name = "healthd_probe_duration_seconds"
    assert [value(text, f"{name}_count", phase=phase) for phase in ("whole", "connect", "talk")] == [5, 1, 1]
    assert [value(text, f"{name}_sum", phase=phase) for phase in ("connect", "talk")] == [0.05, 0.2]
    assert 'phase="tls"' not in text


async def test_a_server_that_is_held_shows_it_and_one_out_of_the_table_has_no_weight(run: Running) -> None:
    """The state is the operator's while it is held; a weight is one that is to be in the table."""
    run.controller.override_all("web", {A: Override(admin=Admin.DRAIN, cut=True)})
    text = await page(run)
    assert value(text, "healthd_realserver_state", server=str(A), state="drain") == 1
    assert value(text, "healthd_realserver_state", server=str(A), state="up") == 0
    assert not [
        each for each in samples(text) if each[0] == "healthd_realserver_weight" and each[1]["server"] == str(A)
    ]
    assert value(text, "healthd_service_fallback_active", service="web") == 1


async def test_the_end_of_a_certificate(run: Running) -> None:
    """Is told of the servers whose certificate a check has looked at."""
    run.record(A, passed("L6OK", "expires in 9 days", expires=1_800_000_000.5))
    text = await page(run)
    assert value(text, "healthd_tls_cert_not_after_timestamp_seconds", server=str(A)) == 1_800_000_000.5
    assert text.count("healthd_tls_cert_not_after_timestamp_seconds{") == 1


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
    bus.publish(TableError(at=0, errors=("refused",), retry_in=1.0))
    counter.drain()
    text = await page(run, counter)
    assert value(text, "healthd_info", version="1.2.3") == 1
    assert value(text, "healthd_ipvs_edits_total") == 2
    assert value(text, "healthd_ipvs_drift_total") == 1
    assert value(text, "healthd_events_total", kind="table_edited") == 1
    assert value(text, "healthd_scheduler_lag_seconds", share="0.99") == 0.004
    assert [
        value(text, f"healthd_{name}") for name in ("frozen", "checks_waiting", "probes_inflight", "ipvs_edits_refused")
    ] == [
        1,
        1,
        5,
        2,
    ]
    assert value(text, "healthd_self_check_ok") == 1
    assert value(text, "healthd_ipvs_errors_total") == 1
    assert value(text, "healthd_alert_spool_depth", channel="ops") == 1
    assert value(text, "healthd_alerts_sent_total", channel="ops", result="delivered") == 2
    assert value(text, "healthd_alerts_sent_total", channel="ops", result="given_up") == 3
    assert value(text, "healthd_alerts_held_back_total", channel="ops") == 4
    assert value(text, "process_resident_memory_bytes") > 10**6


async def test_a_transition_has_its_end_and_its_cause(run: Running) -> None:
    """One server's are told apart by these up to a bound; one that is not configured any more is not shown."""
    bus = Bus()
    counter = EventCounter(bus)
    for number in range(100):
        bus.publish(transition(ServerDown, A, f"CODE{number}"))
    bus.publish(transition(ServerUp, A, "L7OK"))
    bus.publish(transition(ServerDown, Endpoint("10.9.9.9", 80), "L4CON"))
    counter.drain()
    text = await page(run, counter)
    name = "healthd_realserver_transitions_total"
    found = {(has["to"], has["cause"]): number for known, has, number in samples(text) if known == name}
    assert len(found) <= MOST_TRANSITIONS + 2
    assert found["down", "CODE0"] == 1
    assert found["down", "other"] == 100 - MOST_TRANSITIONS
    assert found["up", "other"] == 1
    assert "10.9.9.9" not in text


def test_a_first_verdict_is_no_transition() -> None:
    """At a start with ten thousand servers there would be as many series, and nothing has changed."""
    bus = Bus()
    counter = EventCounter(bus)
    bus.publish(replace(transition(ServerUp, A, "L7OK"), old="unknown"))
    bus.publish(transition(ServerDown, B, "L4CON"))
    counter.drain()
    assert [server for _, server in counter.transitions] == [str(B)]


async def test_transitions_are_counted_for_so_many_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it those that were counted first begin anew, however many come and go with reloads."""
    monkeypatch.setattr(daemon, "MOST_SERVERS", 3)
    bus = Bus()
    counter = EventCounter(bus)
    for number in range(5):
        bus.publish(transition(ServerDown, Endpoint(f"10.0.0.{number}", 80), "L4CON"))
    counter.drain()
    assert [server for _, server in counter.transitions] == [f"10.0.0.{number}:80" for number in (2, 3, 4)]


def transition(kind: type[ServerEvent], server: Endpoint, code: str) -> ServerEvent:
    return kind(
        at=0,
        service="web",
        server=str(server),
        check="front-page",
        old="",
        new="down" if kind is ServerDown else "up",
        outcomes=(Outcome(Status.FAIL, code, ""),),
        edits=(),
        available=0,
        configured=2,
    )


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
