from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.base import Code, Outcome, Status
from healthd.clock import ManualClock
from healthd.config.values import AllDown, OnFailure, ServiceConfig
from healthd.controller import Controller
from healthd.events import Bus, Event
from healthd.model import Destination, Endpoint, Protocol, ServiceKey, Table, VirtualService
from healthd.plan import JobId, make
from healthd.policy import Standing
from healthd.snapshot import CheckView, ServerView, ServiceView, Snapshot
from healthd.verdict import Health, Verdict
from tests.support.building import (
    FAIL,
    KEY,
    OTHER_KEY,
    PASS,
    SORRY,
    UNKNOWN,
    A,
    B,
    C,
    check,
    config,
    outcomes,
    server,
    service,
)

TWO = [check("tcp"), check("http")]


def table(*servers: tuple[Endpoint, int], key: ServiceKey = KEY) -> Table:
    """A service as it is found: its servers with their weights."""
    return Table({key: VirtualService(destinations={end: Destination(weight=weight) for end, weight in servers})})


class Running:
    """A controller with its surroundings: what it told, and the tables that it submitted."""

    def __init__(
        self, *services: ServiceConfig, actual: Table | None = None, remembered: dict[JobId, Verdict] | None = None
    ) -> None:
        bus = Bus()
        self._told = bus.subscribe()
        self.submitted: list[tuple[Table, frozenset[ServiceKey]]] = []
        self.plan = make(config(*services))
        self.controller = Controller(
            self.plan, ManualClock(), bus, lambda desired, retired: self.submitted.append((desired, retired))
        )
        self.controller.start(actual or Table(), remembered)

    def ask(self, endpoint: Endpoint, letters: str, name: str = "tcp", service: str = "web") -> bool:
        """Records outcomes; whether the check is settled after the last."""
        return [self.record(endpoint, outcome, name, service) for outcome in outcomes(letters)][-1]

    def record(self, endpoint: Endpoint, outcome: Outcome, name: str = "tcp", service: str = "web") -> bool:
        return self.controller.record(self.plan.jobs[JobId(f"{service}/{endpoint}/{name}")], outcome)

    def reload(self, *services: ServiceConfig, actual: Table | None = None) -> None:
        self.plan = make(config(*services))
        self.controller.replace(self.plan, actual or Table())

    def weights(self, key: ServiceKey = KEY) -> dict[Endpoint, int]:
        destinations = self.controller.desired.services[key].destinations
        return {endpoint: destination.weight for endpoint, destination in destinations.items()}

    def told(self) -> list[str]:
        """The texts of the events since the last call, with their kinds."""
        return [f"{event.kind}: {event.text()}" for event in self.events()]

    def events(self) -> list[Event]:
        return list(iter(self._told.get_nowait, None))


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


def test_a_wish_changes_the_weight_without_a_transition() -> None:
    """The table follows; a wish of 0 for the last server is a loss of the service."""
    run = Running(service(server(A, 9)), actual=table((A, 9)))
    run.record(A, Outcome(Status.PASS, Code.L7OK, weight=4))
    assert (run.weights(), run.told()) == ({A: 4}, [])
    run.ask(A, "FU")
    assert run.weights() == {A: 4}
    run.told()
    run.record(A, Outcome(Status.PASS, Code.L7OK, weight=0))
    assert run.weights() == {A: 0}
    assert run.told() == ["service_lost: web: no real server left; nobody answers"]
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


# Verdicts of an earlier run


def verdicts(**by_server: Verdict) -> dict[JobId, Verdict]:
    return {
        JobId(f"web/{endpoint}/tcp"): by_server[name] for name, endpoint in (("a", A), ("b", B)) if name in by_server
    }


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


def test_a_loss_of_before_is_not_told_again() -> None:
    """A service that was lost in the last run is told only when it has a server again."""
    remembered = verdicts(a=Verdict(Health.DOWN, (PASS,)))
    run = Running(service(A, fallback=SORRY), actual=table((A, 0), (SORRY, 1)), remembered=remembered)
    run.ask(A, "F")
    assert run.told() == []
    run.ask(A, "PP")
    assert [event.kind for event in run.events()] == ["server_up", "service_recovered", "fallback_out"]


# Reload: rule 7 of the design


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


def test_a_snapshot_shows_everything_and_stays_as_it_is() -> None:
    """Frozen values: what is read once does not change while the world goes on."""
    run = Running(service(server(A, 2), B, fallback=SORRY), actual=table((A, 2)))
    run.ask(A, "FU")
    seen = run.controller.snapshot
    run.ask(A, "FF")
    assert seen == Snapshot(
        (
            ServiceView(
                name="web",
                virtual="192.168.7.110:80/tcp",
                standing=Standing.SERVED,
                available=1,
                fallback_active=False,
                fail_open=False,
                servers=(
                    ServerView("10.0.0.1", 80, Health.UP, 2, 2, (CheckView("tcp", Health.UP, False, UNKNOWN, 1),)),  # noqa: FBT003 - settled
                    ServerView(
                        "10.0.0.2",
                        80,
                        Health.UNDECIDED,
                        None,
                        1,
                        (CheckView("tcp", Health.UNDECIDED, False, None, 0),),  # noqa: FBT003 - settled
                    ),
                ),
            ),
        )
    )
    assert run.controller.snapshot.services[0].standing is Standing.STARTING


def test_the_last_outcome_shown_is_that_of_the_check_that_speaks_against_the_server() -> None:
    """Of several checks people want to see the one that failed; of none, the first."""
    run = Running(service(A, checks=TWO), service(A, name="idle", key=OTHER_KEY, checks=[]), actual=table((A, 1)))
    run.ask(A, "P", "tcp")
    run.ask(A, "FFF", "http")
    web, idle = run.controller.snapshot.services
    assert web.servers[0].last == FAIL
    assert idle.servers[0].last is None
    run.ask(A, "PP", "http")
    assert run.controller.snapshot.services[0].servers[0].last == PASS


def test_services_are_told_apart_by_protocol_and_family() -> None:
    """The same address in TCP and UDP is two services with a life of their own."""
    udp = ServiceKey.at(Protocol.UDP, Endpoint("192.168.7.110", 80))
    run = Running(service(A), service(A, name="dns", key=udp), actual=table((A, 1)))
    run.ask(A, "F", service="dns")
    assert (run.weights(KEY), run.weights(udp)) == ({A: 1}, {A: 0})
