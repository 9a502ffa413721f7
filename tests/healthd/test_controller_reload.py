from __future__ import annotations

from healthd.model import Endpoint
from tests.support.building import KEY, OTHER_KEY, SORRY, A, B, check, server, service
from tests.support.controlling import Running, table

TWO = [check("tcp"), check("http")]


def test_rule_7_of_the_design_a_reload_keeps_the_state_of_what_did_not_change() -> None:
    """Counts go on, nothing flaps, nothing is told."""
    run = Running(service(A, B), actual=table((A, 1), (B, 1)))
    run.ask(A, "FF")
    run.ask(B, "FFF")
    run.told()
    run.reload(service(A, B), service(A, name="new", key=OTHER_KEY))
    assert run.weights() == {A: 1, B: 0}
    assert run.told() == []
    run.ask(A, "F")
    assert run.weights() == {A: 0, B: 0}


def test_a_changed_weight_is_in_the_table_at_once() -> None:
    """For a server that is up, not for one that is down."""
    run = Running(service(A, B), actual=table((A, 1), (B, 1)))
    run.ask(A, "P")
    run.ask(B, "FFF")
    run.reload(service(server(A, 7), server(B, 7)))
    assert run.weights() == {A: 7, B: 0}


def test_a_removed_service_is_retired() -> None:
    """Its key is handed over as one that was owned and is to go; what was never owned is not named."""
    run = Running(service(A), service(A, name="other", key=OTHER_KEY))
    run.reload(service(A))
    assert run.submitted[-1] == (run.controller.desired, frozenset({OTHER_KEY}))
    assert set(run.controller.desired.services) == {KEY}


def test_a_service_that_is_new_is_adopted() -> None:
    """What the table holds of it stays as it is."""
    run = Running(service(A))
    run.reload(service(A), service(A, B, name="new", key=OTHER_KEY), actual=table((A, 1), (B, 0), key=OTHER_KEY))
    assert run.weights(OTHER_KEY) == {A: 1, B: 0}
    assert run.told() == []


def test_a_renamed_service_goes_on() -> None:
    """A name is for people: in the table it is the same service, with the same servers in the same health."""
    run = Running(service(A, B), actual=table((A, 1), (B, 1)))
    run.ask(B, "FFF")
    run.ask(A, "FF")
    run.reload(service(A, B, name="www"))
    assert run.submitted[-1][1] == frozenset()
    assert run.weights() == {A: 1, B: 0}
    run.ask(A, "F", service="www")
    assert run.weights() == {A: 0, B: 0}


def test_services_that_exchange_their_names_go_on() -> None:
    """What is known follows the virtual address, and is never in two services at once."""
    run = Running(service(A), service(B, name="other", key=OTHER_KEY), actual=table((A, 1)))
    run.ask(A, "F")
    run.ask(B, "F", service="other")
    run.reload(service(B, key=OTHER_KEY), service(A, name="other"))
    assert (run.weights(KEY), run.weights(OTHER_KEY)) == ({A: 1}, {B: 0})
    run.ask(A, "FF", service="other")
    assert run.weights(KEY) == {A: 0}


def test_a_service_that_moves_takes_its_servers_along() -> None:
    """With another virtual address the old one is retired, and servers known to be up serve the new one at once."""
    run = Running(service(A, B), actual=table((A, 1), (B, 1)))
    run.ask(A, "P")
    run.ask(B, "FFF")
    run.reload(service(A, B, key=OTHER_KEY))
    assert run.weights(OTHER_KEY) == {A: 1, B: 0}
    assert run.submitted[-1][1] == {KEY}


def test_a_name_given_to_another_address_shares_no_state() -> None:
    """The service that keeps the address keeps the state; the one that has only the name is adopted."""
    run = Running(service(A), actual=table((A, 1)))
    run.reload(service(A, key=OTHER_KEY), service(A, name="old"))
    assert (run.weights(KEY), run.weights(OTHER_KEY)) == ({A: 1}, {})
    run.ask(A, "FFF", service="old")
    assert run.weights(KEY) == {A: 0}


def test_a_server_that_is_up_because_its_failing_check_was_removed_is_told() -> None:
    """And when it fails again after that it is told again."""
    run = Running(service(A, B, checks=TWO), actual=table((A, 1), (B, 1)))
    run.ask(A, "P", "tcp")
    run.ask(A, "FFF", "http")
    run.told()
    run.reload(service(A, B, checks=TWO[:1]))
    assert run.told() == [
        (
            "server_up: web: server 10.0.0.1:80 down -> up; 2 of 2 servers available; "
            "table: -e -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 1"
        )
    ]
    run.ask(A, "FFF", "tcp")
    assert [event.kind for event in run.events()] == ["server_down"]


def test_a_reload_that_removes_the_last_good_server_is_a_loss() -> None:
    """The fallback comes in, and that is told."""
    run = Running(service(A, B, fallback=SORRY), actual=table((A, 1), (B, 1)))
    run.ask(A, "FFF")
    run.told()
    run.reload(service(A, fallback=SORRY))
    assert [event.kind for event in run.events()] == ["service_lost", "fallback_in"]


def test_a_loss_stays_told_over_a_reload_that_brings_an_undecided_server() -> None:
    """While the new server is undecided nothing is told; when it is up the service has recovered."""
    run = Running(service(A, fallback=SORRY), actual=table((A, 1)))
    run.ask(A, "FFF")
    run.told()
    run.reload(service(A, B, fallback=SORRY))
    assert run.told() == []
    run.ask(B, "P")
    assert [event.kind for event in run.events()] == ["server_admitted", "service_recovered", "fallback_out"]


def test_a_loss_is_told_once() -> None:
    """A new server that is bad, too, adds no second loss."""
    run = Running(service(A, fallback=SORRY), actual=table((A, 1)))
    run.ask(A, "FFF")
    run.told()
    run.reload(service(A, B, fallback=SORRY))
    run.ask(B, "F")
    assert [event.kind for event in run.events()] == ["server_down"]


def test_another_fallback_takes_over_from_the_first() -> None:
    """A reload that changes the fallback of a lost service tells of both."""
    other = Endpoint("127.0.0.1", 8080)
    run = Running(service(A, fallback=SORRY), actual=table((A, 1)))
    run.ask(A, "FFF")
    run.told()
    run.reload(service(A, fallback=other))
    assert run.weights() == {A: 0, other: 1}
    assert run.told() == [
        "fallback_out: web: fallback server 127.0.0.1:80 is withdrawn",
        "fallback_in: web: fallback server 127.0.0.1:8080 takes over",
    ]
