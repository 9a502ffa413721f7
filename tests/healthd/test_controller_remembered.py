from __future__ import annotations

import pytest

from checkers.base import Outcome, Status
from healthd.model import Table
from healthd.plan import JobId
from healthd.verdict import Health, Verdict
from tests.support.building import FAIL, PASS, SORRY, A, B, check, service
from tests.support.controlling import Running, table


def verdicts(**by_server: Verdict) -> dict[JobId, Verdict]:
    return {
        JobId(f"web/{endpoint}/tcp"): by_server[name] for name, endpoint in (("a", A), ("b", B)) if name in by_server
    }


def causes(**by_server: Outcome) -> dict[JobId, Outcome]:
    return {
        JobId(f"web/{endpoint}/tcp"): by_server[name] for name, endpoint in (("a", A), ("b", B)) if name in by_server
    }


def reasons(run: Running) -> list[str]:
    """Of each server."""
    return [server.reason for server in run.controller.snapshot.services[0].servers]


def test_remembered_failures_are_counted_on() -> None:
    """Two failures of an earlier run and one of this make three."""
    run = Running(service(A, B), actual=table((A, 1), (B, 1)), remembered=verdicts(a=Verdict(Health.UP, (FAIL, FAIL))))
    run.ask(A, "F")
    assert run.weights() == {A: 0, B: 1}


def test_a_server_remembered_as_down_has_to_rise() -> None:
    """One pass of two is counted on, and what is remembered from before is not told again."""
    run = Running(service(A, B), actual=table((A, 0), (B, 1)), remembered=verdicts(a=Verdict(Health.DOWN, (PASS,))))
    assert run.told() == []
    run.ask(A, "P")
    assert run.weights()[A] == 1
    assert [event.kind for event in run.events()] == ["server_up"]


@pytest.mark.parametrize("actual", [table(), table((A, 0)), Table()])
def test_a_server_remembered_as_up_but_taken_from_the_table_is_put_back(actual: Table) -> None:
    """What differs from what is remembered was edited by somebody else, and is repaired as the daemon does."""
    run = Running(service(A), actual=actual, remembered=verdicts(a=Verdict(Health.UP)))
    assert run.weights() == {A: 1}


def test_a_server_remembered_as_down_but_put_into_the_table_goes_again() -> None:
    """Likewise."""
    run = Running(service(A, B), actual=table((A, 1), (B, 1)), remembered=verdicts(a=Verdict(Health.DOWN)))
    assert run.weights() == {A: 0, B: 1}


def test_what_is_remembered_as_undecided_says_nothing() -> None:
    """A server found with weight stays up: that an earlier run could not ask is no reason to lower it."""
    run = Running(service(A), actual=table((A, 1)), remembered=verdicts(a=Verdict()))
    run.ask(A, "U")
    assert run.weights() == {A: 1}


def test_what_is_remembered_of_others_is_ignored() -> None:
    """A job that the configuration no longer has is nobody's."""
    run = Running(service(A), actual=table((A, 1)), remembered=verdicts(b=Verdict(Health.DOWN)))
    assert run.controller.verdicts == {"web/10.0.0.1:80/tcp": Verdict(Health.UP)}


def test_why_a_server_is_down_is_known_before_its_first_outcome() -> None:
    """By what put it down in the earlier run; what is found now takes its place, unless it has passed."""
    remembered = verdicts(a=Verdict(Health.DOWN), b=Verdict(Health.UP))
    run = Running(service(A, B), actual=table((A, 0), (B, 1)), remembered=remembered, causes=causes(a=FAIL, b=FAIL))
    assert reasons(run) == [str(FAIL), ""]
    assert run.controller.snapshot.services[0].servers[1].checks[0].cause is None, "it is up"
    run.ask(A, "P")
    assert reasons(run)[0] == str(FAIL)
    now = Outcome(Status.FAIL, "L7STS", "status 503")
    run.record(A, now)
    assert reasons(run)[0] == str(now)
    run.ask(A, "PP")
    assert reasons(run)[0] == ""


@pytest.mark.parametrize("name", ["tcp", "other"])
def test_why_a_server_is_down_is_still_known_after_a_reload(name: str) -> None:
    """Also where it comes before the first outcome, and whatever its check is called then."""
    remembered = verdicts(a=Verdict(Health.DOWN))
    run = Running(service(A), actual=table((A, 0)), remembered=remembered, causes=causes(a=FAIL))
    run.reload(service(A, checks=[check(name, fall="5")]))
    assert reasons(run) == [str(FAIL)]


def test_a_loss_of_before_is_not_told_again() -> None:
    """A service that was lost in the last run is told only when it has a server again."""
    remembered = verdicts(a=Verdict(Health.DOWN, (PASS,)))
    run = Running(service(A, fallback=SORRY), actual=table((A, 0), (SORRY, 1)), remembered=remembered)
    run.ask(A, "F")
    assert run.told() == []
    run.ask(A, "PP")
    assert [event.kind for event in run.events()] == ["server_up", "service_recovered", "fallback_out"]
