from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from checkers.base import Outcome, Status
from healthd.tally import BOUNDS, MOST_CODES, OTHER, Latency, Tally
from tests.support.building import A, B, service
from tests.support.controlling import Running, table


@given(st.lists(st.floats(0, 100)))
def test_every_outcome_is_in_one_class_of_durations(seconds: list[float]) -> None:
    """A duration is in the first class whose bound it does not exceed, and together they are all there were."""
    tally = Tally()
    for each in seconds:
        tally.add("tcp", Outcome(Status.PASS, "L4OK", "", each))
    view = tally.view
    for number, bound in enumerate(BOUNDS, 1):
        assert sum(view.durations[:number]) == sum(each <= bound for each in seconds)
    assert sum(view.durations) == len(seconds)
    assert view.seconds == sum(seconds)


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
