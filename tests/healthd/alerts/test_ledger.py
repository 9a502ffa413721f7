from __future__ import annotations

import pytest

from checkers.base import Code, Outcome, Status
from healthd.alerts.ledger import Ledger
from healthd.alerts.notices import Flapping, Steady, SteadyDown, Withdrawn
from healthd.alerts.problem import CALM_SECONDS, FLAP_SECONDS
from healthd.events import (
    Event,
    FallbackIn,
    FallbackOut,
    MaintenanceBegan,
    MaintenanceEnded,
    ServerAdmitted,
    ServerUp,
    ServiceRecovered,
    Started,
    TableError,
    TableRestored,
)
from tests.healthd.alerts.making import AT, FINE, alert, down, lost, recovered, up

A = "10.0.0.1:80"
DEFAULT = alert()


class Run:
    """A ledger, and a receiver who has everything at once unless told otherwise."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self.ledger = ledger or Ledger(DEFAULT)
        self.now = 1000.0

    def told(self, event: Event) -> list[str]:
        return [each.kind for each in self.tell(*self.ledger.take(event, self.now))]

    def tell(self, *events: Event) -> tuple[Event, ...]:
        sent = self.ledger.admit(events)
        self.ledger.delivered(sent, self.now)
        return sent

    def due(self, seconds: float) -> tuple[list[Event], list[Event]]:
        self.now += seconds
        news, reminders = self.ledger.due(self.now)
        self.tell(*news, *reminders)
        return list(news), list(reminders)


def admitted(server: str = A) -> ServerAdmitted:
    return ServerAdmitted(
        at=AT + 60,
        service="web",
        server=server,
        check="c",
        old="undecided",
        new="up",
        outcomes=(FINE,),
        edits=(),
        available=1,
        configured=3,
    )


def began(server: str = A) -> MaintenanceBegan:
    return MaintenanceBegan(at=AT, service="web", server=server, who="ada")


def ended(server: str = A) -> MaintenanceEnded:
    return MaintenanceEnded(at=AT, service="web", server=server, who="ada", cause="ready")


def test_a_failure_and_its_end_are_told_once() -> None:
    """What is known already is not told again, and an end without a failure is none."""
    run = Run()
    assert run.told(down()) == ["server_down"]
    assert run.told(down()) == []
    assert run.told(up()) == ["server_up"]
    assert run.told(up()) == []


def test_the_end_is_told_only_to_who_was_told_of_the_failure() -> None:
    """A failure that never arrived has no end for its receivers, whether it was given up before or after."""
    run = Run()
    failure = run.ledger.take(down(), run.now)
    end = run.ledger.take(up(), run.now)
    assert run.ledger.admit((*failure, *end)) == (down(), up())  # both in one message make sense
    run.ledger.given_up(failure, run.now)
    assert run.ledger.admit(end) == ()
    assert run.told(down("10.0.0.2:80")) == ["server_down"]
    failure = run.ledger.take(down(), run.now)
    run.ledger.given_up(failure, run.now)
    assert run.told(up()) == []


def test_who_takes_only_the_ends_gets_all_of_them() -> None:
    """An alert without the failures among its events was never meant to know of them."""
    run = Run(Ledger(alert(events=frozenset({"server_up"}))))
    assert run.told(down()) == []
    assert run.told(up()) == ["server_up"]


def test_who_takes_only_the_failures_gets_each_of_them() -> None:
    """The end counts although it is not told: the next failure is a new one."""
    run = Run(Ledger(alert(events=frozenset({"server_down"}))))
    assert run.told(down()) == ["server_down"]
    assert run.told(up()) == []
    assert run.told(down()) == ["server_down"]


def test_repeat() -> None:
    """What still fails is told again at that pace, counted from when it was told; what is over is not."""
    run = Run(Ledger(alert(repeat=3600)))
    run.told(down())
    run.told(lost())
    assert run.due(3599) == ([], [])
    assert run.due(1) == ([], [down(), lost()])
    run.told(recovered())
    assert run.due(3600) == ([], [down()])
    run.told(up())
    assert run.due(7200) == ([], [])


def test_what_was_given_up_is_told_when_its_reminder_is_due() -> None:
    """A receiver that was away for too long still gets to know of what lasts, and then of its end."""
    run = Run(Ledger(alert(repeat=3600)))
    run.ledger.given_up(run.ledger.take(down(), run.now), run.now)
    assert run.due(3600) == ([], [down()])
    assert run.told(up()) == ["server_up"]


def flap(run: Run, times: int) -> list[str]:
    kinds = []
    for _ in range(times):
        kinds += run.told(down()) + run.told(up())
        run.now += 10
    return kinds


def test_flapping_is_told_once_and_its_end_once() -> None:
    """The third failure within ten minutes is told as flapping; then silence until one state has lasted."""
    run = Run()
    assert flap(run, 6) == ["server_down", "server_up", "server_down", "server_up", "server_flapping"]
    assert run.due(CALM_SECONDS - 11) == ([], [])
    news, _ = run.due(1)
    assert [type(event) for event in news] == [Steady]
    assert news[0].text() == "web: server 10.0.0.1:80 is stable again, and up"
    assert run.told(down()) == ["server_down"]


def test_flapping_says_how_often_and_why() -> None:
    """With the last evidence, and for how long nothing more will come."""
    run = Run()
    flap(run, 2)
    (notice,) = run.ledger.take(down(), run.now)
    assert isinstance(notice, Flapping)
    assert notice.text() == (
        "web: server 10.0.0.1:80 is flapping: 3 failures in 20s, the last L4CON connecting to 10.0.0.1:80: "
        "Connection refused (ECONNREFUSED); nothing more is told until it has kept one state for 10m"
    )


def test_flapping_that_ends_down_is_a_failure_like_any_other() -> None:
    """Its end is told, with the evidence; and later the end of that."""
    run = Run()
    flap(run, 3)
    assert run.told(down()) == []
    news, _ = run.due(CALM_SECONDS)
    assert [type(event) for event in news] == [SteadyDown]
    assert run.told(up()) == ["server_up"]


def test_slow_changes_are_no_flapping() -> None:
    """Three failures in more than ten minutes are three failures."""
    run = Run()
    for _ in range(5):
        assert run.told(down()) == ["server_down"]
        run.now += FLAP_SECONDS / 2
        assert run.told(up()) == ["server_up"]


def test_maintenance_is_quiet() -> None:
    """What checks find meanwhile is not told; what they find afterwards is, and other servers are told of."""
    run = Run()
    assert run.told(began()) == ["maintenance_began"]
    assert run.told(down()) == []
    assert run.told(down("10.0.0.2:80")) == ["server_down"]
    assert run.told(up()) == []
    assert run.told(ended()) == ["maintenance_ended"]
    assert run.told(down()) == ["server_down"]


def test_a_failure_from_before_maintenance_ends_after_it() -> None:
    """In between there is no reminder, and the first good verdict afterwards is the end of what was told."""
    run = Run(Ledger(alert(repeat=60)))
    run.told(down())
    run.told(began())
    assert run.due(60) == ([], [])
    assert run.told(up()) == []
    run.told(ended())
    assert run.told(admitted()) == ["server_up", "server_admitted"][:1]
    assert run.due(600) == ([], [])


def test_flapping_ends_with_maintenance() -> None:
    """An operator has taken it in hand: what was told of it is settled first."""
    run = Run()
    flap(run, 3)
    assert run.told(began()) == ["maintenance_began", "server_steady"]


def test_a_restart_ends_no_failure_but_the_first_good_verdict_does() -> None:
    """A new life of healthd admits a server, and says that it runs: for the receivers that is the end."""
    run = Run()
    events = [
        down(),
        lost(),
        FallbackIn(at=AT, service="web", fallback="f:80"),
        TableError(at=AT, errors=("e",), retry_in=1),
    ]
    for event in events:
        run.told(event)
    started = Started(at=AT, version="1", services=1, servers=1)
    assert [type(event) for event in run.ledger.take(started, run.now)] == [TableRestored]
    found = run.ledger.take(admitted(), run.now)
    assert [type(event) for event in found] == [ServerUp, ServiceRecovered, FallbackOut]
    run.tell(*found)
    assert run.told(recovered()) == []


def test_without_a_failure_admission_is_what_it_is() -> None:
    """Told to who wants it."""
    assert Run().told(admitted()) == ["server_admitted"]
    assert Run(Ledger(alert(events=frozenset({"server_down"})))).told(admitted()) == []


def test_table_errors_differ() -> None:
    """Another error is news, even while the first lasts."""
    run = Run()
    assert run.told(TableError(at=AT, errors=("a",), retry_in=1)) == ["table_error"]
    assert run.told(TableError(at=AT, errors=("b",), retry_in=1)) == ["table_error"]


@pytest.mark.parametrize(("servers", "gone"), [({}, 2), ({"web": {A}}, 0), ({"web": {"10.0.0.2:80"}}, 1)])
def test_what_is_no_longer_configured_is_over(servers: dict[str, set[str]], gone: int) -> None:
    """Told once, for what was told; nothing is left to be reminded of."""
    run = Run(Ledger(alert(repeat=60)))
    run.told(down())
    run.told(lost())
    told = run.tell(*run.ledger.retire(servers, AT))
    assert [type(event) for event in told] == [Withdrawn] * gone
    assert len(run.due(60)[1]) == 2 - gone
    assert run.ledger.retire(servers, AT) == []


def test_what_is_over_is_forgotten() -> None:
    """No server that was down once costs memory for ever."""
    run = Run()
    for number in range(100):
        run.told(down(f"10.0.1.{number}:80"))
        run.told(up(f"10.0.1.{number}:80"))
    assert run.ledger.open == 0
    run.due(FLAP_SECONDS + 1)
    assert run.ledger.problems == {}


def test_another_outcome_of_a_known_failure_is_no_news() -> None:
    """The same failure, decided again after a restart."""
    run = Run()
    run.told(down())
    again = down(detail="another reason")
    assert again.outcomes == (Outcome(Status.FAIL, Code.L7RSP, "another reason"),)
    assert run.told(again) == []
