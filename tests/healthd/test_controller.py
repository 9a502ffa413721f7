from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.base import Code, Outcome, Status
from healthd.config.values import AllDown, OnFailure
from healthd.model import Endpoint, Protocol, ServiceKey
from tests.support.building import KEY, LOST, OTHER_KEY, SORRY, A, B, C, check, server, service
from tests.support.controlling import Running, table

TWO = [check("tcp"), check("http")]


def test_rule_3_of_the_design_what_is_found_is_adopted_as_it_is() -> None:
    """A start edits nothing that concerns a configured server: with weight it stays, at 0 or absent it stays so."""
    run = Running(service(A, B, C), actual=table((A, 1), (B, 0)))
    assert run.weights() == {A: 1, B: 0}
    assert run.told() == []
    assert run.submitted == [(run.controller.desired, frozenset())]


def test_an_unchecked_server_gets_no_traffic_that_it_did_not_have() -> None:
    """A server found with a part of its weight keeps that part until its check has passed."""
    run = Running(service(server(A, 100)), actual=table((A, 3)))
    assert run.weights() == {A: 3}
    run.ask(A, "UF")
    assert run.weights() == {A: 3}
    run.ask(A, "P")
    assert run.weights() == {A: 100}


def test_a_server_found_in_the_table_is_up_until_fall_says_otherwise() -> None:
    """Rules 2 and 3 of the design: two failures of three leave it, the third takes it out."""
    run = Running(service(A, B), actual=table((A, 1), (B, 1)))
    assert run.ask(A, "F") is False
    assert run.ask(A, "F") is False
    assert run.weights() == {A: 1, B: 1}
    assert run.ask(A, "F") is True
    assert run.weights() == {A: 0, B: 1}


def test_a_server_that_goes_down_is_told_with_its_evidence() -> None:
    """One event: from what to what, after which outcomes, what is left, and the edit that follows."""
    run = Running(service(A, B), actual=table((A, 1), (B, 1)))
    run.ask(A, "FFF")
    assert run.told() == [
        (
            "server_down: web: server 10.0.0.1:80 up -> down after 3 outcomes of check tcp: L4CON refused; "
            "1 of 2 servers available; table: -e -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 0"
        )
    ]


def test_a_server_that_returns_is_told() -> None:
    """After `rise` passes, with the weight it gets back."""
    run = Running(service(server(A, 4), B), actual=table((A, 4), (B, 1)))
    run.ask(A, "FFF")
    run.told()
    assert run.ask(A, "P") is False
    assert run.told() == []
    assert run.ask(A, "P") is True
    assert run.told() == [
        (
            "server_up: web: server 10.0.0.1:80 down -> up after 2 outcomes of check tcp: L4OK connected; "
            "2 of 2 servers available; table: -e -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 4"
        )
    ]


def test_a_first_verdict_is_told_by_its_own_name() -> None:
    """A server that is good from the start alarms nobody; one that is bad is down."""
    run = Running(service(A, B, on_failure=OnFailure.REMOVE))
    run.ask(A, "P")
    run.ask(B, "F")
    assert run.told() == [
        (
            "server_admitted: web: server 10.0.0.1:80 unknown -> up after 1 outcome of check tcp: L4OK connected; "
            "1 of 2 servers available; table: -a -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 1"
        ),
        (
            "server_down: web: server 10.0.0.2:80 unknown -> down after 1 outcome of check tcp: L4CON refused; "
            "1 of 2 servers available; table: nothing to change"
        ),
    ]


def test_only_the_servers_health_is_told_not_each_checks() -> None:
    """A second check that fails, or the first of two that returns, is no news of the server."""
    run = Running(service(A, B, checks=TWO), actual=table((A, 1), (B, 1)))
    run.ask(A, "FFF", "tcp")
    run.ask(A, "FFF", "http")
    run.ask(A, "PP", "tcp")
    assert [event.kind for event in run.events()] == ["server_down"]
    assert run.weights()[A] == 0
    run.ask(A, "PP", "http")
    assert [event.kind for event in run.events()] == ["server_up"]


def test_a_new_server_is_admitted_when_all_its_checks_have_passed() -> None:
    """The first of two checks decides nothing yet."""
    run = Running(service(A, checks=TWO), actual=table((A, 0)))
    run.ask(A, "P", "tcp")
    assert (run.weights(), run.told()) == ({A: 0}, [])
    run.ask(A, "P", "http")
    assert run.weights() == {A: 1}
    assert [event.kind for event in run.events()] == ["server_admitted"]


def test_rule_1_of_the_design_unknown_is_told_once_and_changes_nothing() -> None:
    """Logged, counted and shown; said when it begins, not at every repetition."""
    run = Running(service(A), actual=table((A, 1)))
    run.ask(A, "UUU")
    assert run.told() == [
        "check_unknown: web: server 10.0.0.1:80 could not be checked (tcp): SOCKERR out of descriptors; state kept"
    ]
    run.ask(A, "PUU")
    assert [event.kind for event in run.events()] == ["check_unknown"]
    assert run.weights() == {A: 1}
    assert run.controller.snapshot.services[0].servers[0].checks[0].unknowns == 5


def test_the_checks_of_a_lost_worker_are_shown_and_not_told() -> None:
    """Thousands at once are one event, which is not the controller's; what makes a check unknown next is told."""
    run = Running(service(A), actual=table((A, 1)))
    run.ask(A, "W")
    assert run.told() == []
    shown = run.controller.snapshot.services[0].servers[0].checks[0]
    assert (shown.last, shown.unknowns) == (LOST, 1)
    run.ask(A, "UWU")
    assert [event.kind for event in run.events()] == ["check_unknown"]


def test_unknown_between_failures_neither_counts_nor_forgives() -> None:
    """Three failures with UNKNOWN between them are three failures in a row."""
    run = Running(service(A, B), actual=table((A, 1), (B, 1)))
    run.ask(A, "FUFUU")
    assert run.weights()[A] == 1
    run.ask(A, "F")
    assert run.weights()[A] == 0


def test_the_last_server_lost_brings_the_fallback_and_its_return_takes_it_out() -> None:
    """Rule 6 of the design, with its events in order: the server, the service, the fallback."""
    run = Running(service(A, fallback=SORRY), actual=table((A, 1)))
    run.ask(A, "FFF")
    assert run.weights() == {A: 0, SORRY: 1}
    assert run.told() == [
        (
            "server_down: web: server 10.0.0.1:80 up -> down after 3 outcomes of check tcp: L4CON refused; "
            "0 of 1 servers available; table: -a -t 192.168.7.110:80 -r 127.0.0.1:80 -m -w 1, "
            "-e -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 0"
        ),
        "service_lost: web: no real server left; fallback server 127.0.0.1:80 answers",
        "fallback_in: web: fallback server 127.0.0.1:80 takes over",
    ]
    run.ask(A, "PP")
    assert run.weights() == {A: 1}
    assert run.told() == [
        (
            "server_up: web: server 10.0.0.1:80 down -> up after 2 outcomes of check tcp: L4OK connected; "
            "1 of 1 servers available; table: -e -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 1, "
            "-d -t 192.168.7.110:80 -r 127.0.0.1:80"
        ),
        "service_recovered: web: has a real server again; 1 of 1 available",
        "fallback_out: web: fallback server 127.0.0.1:80 is withdrawn",
    ]


@pytest.mark.parametrize(
    ("all_down", "consequence", "weight"),
    [
        (AllDown.EMPTY, "nobody answers", 0),
        (AllDown.ALL, 'all_down = "all": every server is back at its configured weight', 5),
    ],
)
def test_the_loss_of_a_service_says_what_follows(all_down: AllDown, consequence: str, weight: int) -> None:
    """Without a fallback either nobody answers, or everybody may."""
    run = Running(service(server(A, 5), all_down=all_down), actual=table((A, 5)))
    run.ask(A, "FFF")
    assert run.told()[1:] == [f"service_lost: web: no real server left; {consequence}"]
    assert run.weights() == {A: weight}


def test_a_fallback_that_bridges_the_start_is_no_news() -> None:
    """While servers are undecided the fallback is in the table, and nobody is told of a loss that is none yet."""
    run = Running(service(A, B, fallback=SORRY))
    assert run.weights() == {SORRY: 1}
    run.ask(A, "F")
    assert [event.kind for event in run.events()] == ["server_down"]
    run.ask(B, "P")
    assert run.weights() == {A: 0, B: 1}
    assert [event.kind for event in run.events()] == ["server_admitted"]


async def test_a_wish_changes_the_weight_without_a_transition() -> None:
    """The table follows; a wish of 0 for the last server is a loss of the service."""
    run = Running(service(server(A, 9)), actual=table((A, 9)))
    run.record(A, Outcome(Status.PASS, Code.L7OK, weight=4))
    assert run.weights() == {A: 4}
    run.ask(A, "FU")
    assert run.weights() == {A: 4}
    run.told()
    run.record(A, Outcome(Status.PASS, Code.L7OK, weight=0))
    assert run.weights() == {A: 0}
    assert run.told() == [
        "service_lost: web: no real server left; nobody answers",
        "weight_changed: web: server 10.0.0.1:80 weight 4 -> 0 (9 configured): check tcp: L7OK",
    ]
    await run.clock.advance(10)
    run.ask(A, "P")
    assert run.weights() == {A: 9}


def test_an_outcome_that_changes_nothing_submits_nothing() -> None:
    """The reconciler is woken for a changed table only."""
    run = Running(service(A), actual=table((A, 1)))
    run.ask(A, "PPFP")
    assert len(run.submitted) == 1


def test_only_the_service_concerned_is_decided_anew() -> None:
    """The part of the table that belongs to another service is the same object as before."""
    run = Running(service(A), service(A, name="other", key=OTHER_KEY), actual=table((A, 1)))
    before = run.controller.desired.services[OTHER_KEY]
    run.ask(A, "FFF")
    assert run.controller.desired.services[OTHER_KEY] is before


@given(
    st.dictionaries(st.sampled_from([A, B, C]), st.integers(0, 3)),
    st.lists(st.sampled_from([A, B, C]), max_size=10),
    st.sampled_from(OnFailure),
    st.sampled_from([None, SORRY]),
)
def test_unknown_never_lowers_a_server_nor_raises_one(
    found: dict[Endpoint, int], asked: list[Endpoint], on_failure: OnFailure, fallback: Endpoint | None
) -> None:
    """Whatever the table held at the start, outcomes that say nothing leave every configured server as it was."""
    run = Running(service(A, B, C, on_failure=on_failure, fallback=fallback), actual=table(*found.items()))
    for endpoint in asked:
        run.ask(endpoint, "U")
    weights = run.weights()
    weights.pop(SORRY, None)
    assert weights == found


def test_services_are_told_apart_by_protocol_and_family() -> None:
    """The same address in TCP and UDP is two services with a life of their own."""
    udp = ServiceKey.at(Protocol.UDP, Endpoint("192.168.7.110", 80))
    run = Running(service(A), service(A, name="dns", key=udp), actual=table((A, 1)))
    run.ask(A, "F", service="dns")
    assert (run.weights(KEY), run.weights(udp)) == ({A: 1}, {A: 0})
