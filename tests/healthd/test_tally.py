from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.base import Outcome, Status
from healthd.tally import BOUNDS, MOST_CODES, OTHER, WHOLE, Latency, Tally
from tests.support.building import A, B, service
from tests.support.controlling import Running, table


@given(st.lists(st.floats(0, 100), min_size=1))
def test_every_outcome_is_in_one_class_of_durations(seconds: list[float]) -> None:
    """A duration is in the first class whose bound it does not exceed, and together they are all there were."""
    tally = Tally()
    for each in seconds:
        tally.add("tcp", Outcome(Status.PASS, "L4OK", "", each))
    durations = tally.view.durations[WHOLE]
    for number, bound in enumerate(BOUNDS, 1):
        assert sum(durations.counts[:number]) == sum(each <= bound for each in seconds)
    assert sum(durations.counts) == len(seconds)
    assert durations.seconds == pytest.approx(sum(seconds))


def test_parts_are_counted_beside_the_whole() -> None:
    """A part has as many durations as there were checks that went through it."""
    tally = Tally()
    tally.add("https", Outcome(Status.PASS, "L7OK", "", 0.5), {"connect": 0.0005, "tls": 0.125, "talk": 0.3745})
    tally.add("https", Outcome(Status.FAIL, "L4TOUT", "", 1.0), {"connect": 1.0})
    found = {part: (sum(view.counts), view.seconds) for part, view in tally.view.durations.items()}
    assert found == {WHOLE: (2, 1.5), "connect": (2, 1.0005), "tls": (1, 0.125), "talk": (1, 0.3745)}


def test_codes_are_counted_by_check_and_status_and_there_are_not_too_many() -> None:
    """A plugin that makes up codes without end does not cost memory without end."""
    tally = Tally()
    for number in range(MOST_CODES * 2):
        tally.add("plugin", Outcome(Status.FAIL, f"E{number}"))
        tally.add("tcp", Outcome(Status.PASS, "L4OK"))
    counted = tally.view.outcomes
    assert counted["tcp", Status.PASS, "L4OK"] == MOST_CODES * 2
    assert len(counted) == MOST_CODES + 1
    assert counted["plugin", Status.FAIL, OTHER] == MOST_CODES * 2 - (MOST_CODES - 1)


def test_latencies_are_taken_once() -> None:
    """What was taken begins anew; a check without an outcome since is left out."""
    run = Running(service(A), actual=table((A, 1)))
    for seconds, status in ((0.5, Status.PASS), (1.5, Status.FAIL), (1.0, Status.PASS)):
        run.record(A, Outcome(status, "L7OK", "", seconds))
    assert list(run.controller.taken_latencies()) == [Latency("web", str(A), "tcp", 3, 1, 3.0, 1.5)]
    assert list(run.controller.taken_latencies()) == []


def test_the_tally_of_a_service_goes_on_over_a_reload() -> None:
    """Counters that somebody scrapes must not go back."""
    run = Running(service(A), actual=table((A, 1)))
    run.ask(A, "PPF")
    run.reload(service(A, B))
    run.ask(B, "P")
    tally = run.controller.snapshot.services[0].tally
    assert tally is not None
    assert sum(tally.outcomes.values()) == 4
