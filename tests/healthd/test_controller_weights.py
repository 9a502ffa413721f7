"""Weights that servers ask for, and what becomes of them in the controller; the clock is stepped."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checkers.base import Code, Outcome, Status, passed
from checkers.command import Command
from healthd.config.values import ServiceConfig
from healthd.control import explaining, shapes
from healthd.events import WeightChanged
from healthd.operators.preview import preview
from healthd.overrides import Admin, Override, SetWeight
from healthd.weights import Damping, Step
from tests.support.building import KEY, A, B, check, server, service
from tests.support.controlling import Running, table

DEGRADED = passed(Code.L7OK, "certificate expires in 9 days", degraded=True)
DAMPING = Damping(degraded=0.5, step=Step(5, percent=True), interval=10.0)


def one(*checks: str, weight: int = 100, damping: Damping = DAMPING) -> ServiceConfig:
    return replace(service(server(A, weight), B, checks=[check(name) for name in checks or ("tcp",)]), damping=damping)


def running(*checks: str, damping: Damping = DAMPING) -> Running:
    return Running(one(*checks, damping=damping), actual=table((A, 100), (B, 1)))


def agent(percent: float) -> Outcome:
    return passed(Code.L7OK, f"{percent:g}%", factor=percent / 100)


def test_the_table_follows_what_a_server_asks_for() -> None:
    """A factor is of the configured weight, and the change is told with its reason."""
    run = running()
    run.record(A, agent(75))
    assert run.weights() == {A: 75, B: 1}
    assert run.told() == [
        "weight_changed: web: server 10.0.0.1:80 weight 100 -> 75 (100 configured): check tcp: L7OK 75%"
    ]


async def test_a_hard_failure_wins() -> None:
    """Whatever an agent says: a server that another check finds down has no weight, and a down one asks in vain."""
    run = running("tcp", "agent")
    run.ask(A, "FFF")
    run.record(A, agent(200), "agent")
    assert run.weights() == {A: 0, B: 1}
    run.told()
    await run.clock.advance(60)
    run.record(A, agent(30), "agent")
    assert (run.weights(), run.told()) == ({A: 0, B: 1}, [])


def test_a_server_that_comes_up_begins_with_what_it_asks_for() -> None:
    """Without a moment at its full weight, and not late for being damped."""
    run = running("tcp", "agent")
    run.record(A, agent(60), "agent")
    run.ask(A, "FFF")
    run.record(A, agent(20), "agent")
    run.ask(A, "PP")
    assert run.weights() == {A: 20, B: 1}


async def test_changes_are_damped() -> None:
    """One in ten seconds: what is put off follows then by itself, as it is asked for at that time."""
    run = running()
    run.record(A, agent(50))
    for percent in (20, 80, 30, 20):
        await run.clock.advance(2)
        run.record(A, agent(percent))
        assert run.weights()[A] == 50
    await run.clock.advance(1.9)
    assert run.weights()[A] == 50
    await run.clock.advance(0.1)
    assert run.weights()[A] == 20
    changes = [event for event in run.events() if isinstance(event, WeightChanged)]
    assert [(change.old_weight, change.new_weight, str(change.outcome)) for change in changes] == [
        (100, 50, "L7OK 50%"),
        (50, 20, "L7OK 20%"),
    ]


async def test_what_was_put_off_may_have_become_void() -> None:
    """As it is not asked for any more, as the server is down by then, or as a reload has seen to it."""
    run = running()
    run.record(A, agent(50))
    run.record(A, agent(20))
    run.record(A, agent(50))
    await run.clock.advance(20)
    assert run.weights()[A] == 50
    run.record(A, agent(60))
    run.record(A, agent(30))
    run.ask(A, "FFF")
    await run.clock.advance(20)
    assert run.weights()[A] == 0
    run.ask(A, "PP")
    run.record(A, agent(30))
    run.reload(one(weight=200), actual=run.controller.desired)
    submitted = len(run.submitted)
    await run.clock.advance(20)
    assert (run.weights()[A], len(run.submitted)) == (60, submitted)


async def test_a_flood_of_wishes_is_told_once_in_a_while() -> None:
    """A thousand outcomes in a hundred seconds are eleven changes at most."""
    run = running()
    for number in range(1000):
        run.record(A, agent(20 + 50 * (number % 2)))
        await run.clock.advance(0.1)
    assert 1 < len(run.events()) <= 11


def test_small_changes_are_none() -> None:
    """Of less than 5 % of the configured weight."""
    run = running()
    run.record(A, agent(97))
    assert (run.weights()[A], run.events()) == (100, [])


async def test_a_degraded_server_has_a_part_of_its_weight() -> None:
    """As much as the service says; it is told, and the snapshot shows it until it is over."""
    run = running()
    run.record(A, DEGRADED)
    assert run.weights()[A] == 50
    assert run.told() == [
        (
            "weight_changed: web: server 10.0.0.1:80 degraded, weight 100 -> 50 (100 configured): "
            "check tcp: L7OK certificate expires in 9 days"
        )
    ]
    view = run.controller.snapshot.services[0].servers[0]
    assert (view.degraded, view.state, view.reason) == (True, "up", "L7OK certificate expires in 9 days")
    await run.clock.advance(10)
    run.ask(A, "P")
    assert run.weights()[A] == 100
    assert run.controller.snapshot.services[0].servers[0].degraded is False


def test_without_a_factor_being_degraded_is_only_shown() -> None:
    """The weight stays."""
    run = running(damping=Damping())
    run.record(A, DEGRADED)
    assert run.weights()[A] == 100
    assert run.told() == [
        (
            "weight_changed: web: server 10.0.0.1:80 degraded, weight 100 as before: "
            "check tcp: L7OK certificate expires in 9 days"
        )
    ]
    assert run.controller.snapshot.services[0].servers[0].degraded


def test_a_slow_answer_is_taken_in_as_degraded() -> None:
    """The key is of the check, whatever its kind; what it shows is what was too slow."""
    slow = replace(service(server(A, 100), B, checks=[replace(check(), slow=0.3)]), damping=DAMPING)
    run = Running(slow, actual=table((A, 100), (B, 1)))
    run.record(A, replace(passed(Code.L7OK, "200 OK"), seconds=0.3))
    assert run.weights()[A] == 100
    run.record(A, replace(passed(Code.L7OK, "200 OK"), seconds=0.412))
    assert run.weights()[A] == 50
    last = run.controller.snapshot.services[0].servers[0].last
    assert last is not None
    assert last.detail == "slow: 412 ms, more than 300 ms; 200 OK"


def test_an_operators_weight_comes_first() -> None:
    """Over every wish, and what the server asks for meanwhile is not told, as nothing follows from it."""
    run = running()
    run.controller.override_all("web", {A: Override(weight=SetWeight(7), who="ops")})
    run.record(A, agent(50))
    assert (run.weights()[A], run.told()) == (7, [])
    run.controller.override_all("web", {A: None})
    assert run.weights()[A] == 50


def test_one_that_is_held_gets_nothing_and_tells_nothing() -> None:
    """A drained server may ask for what it likes."""
    run = running()
    run.controller.override_all("web", {A: Override(admin=Admin.DRAIN, who="ops")})
    run.record(A, agent(150))
    assert (run.weights()[A], run.told()) == (0, [])


def test_who_asks_for_nothing_is_not_available() -> None:
    """So an operator who wants to take away the other server is told that too few would be left."""
    run = running()
    assert run.controller.available("web") == 2
    run.record(A, agent(0))
    assert (run.weights()[A], run.controller.available("web")) == (0, 1)


@pytest.mark.parametrize("wish", [agent(50), DEGRADED])
def test_a_reload_keeps_what_was_asked_for(wish: Outcome) -> None:
    """As a share of the weight that is configured then; the preview says the same before."""
    run = running()
    run.record(A, wish)
    before, actual, services = run.plan, run.controller.desired, dict(run.controller.services)
    run.reload(one(weight=40), actual=actual)
    assert run.weights() == {A: 20, B: 1}
    assert "-r 10.0.0.1:80 -m -w 20" in " ".join(preview(before, run.plan, services, actual).edits)
    run.reload(one(weight=40, damping=replace(DAMPING, degraded=1.0)), actual=run.controller.desired)
    assert run.weights()[A] == (20 if wish.factor else 40)


def test_a_restart_goes_on_with_the_weight_in_the_table() -> None:
    """Until the checks have passed; no server gets a moment at its full weight by it."""
    run = Running(one(), actual=table((A, 50), (B, 1)))
    assert run.weights()[A] == 50
    run.record(A, Outcome(Status.FAIL, Code.L7STS))
    assert run.weights()[A] == 50
    run.record(A, agent(50))
    assert (run.weights()[A], run.events()) == (50, [])
    assert KEY in run.controller.desired.services


def test_what_a_server_asks_for_is_explained() -> None:
    """With the check that asks, in what people read and in what programs do."""
    run = running()
    run.record(A, replace(DEGRADED, factor=0.75))
    service = run.controller.snapshot.services[0]
    explained = explaining.now(service, service.servers[0], None)
    assert "check tcp: degraded, asks for 75% of its weight" in explained["text"]
    assert "it is degraded: it passes, but not as it should" in explained["text"]
    shown = shapes.server("web", service.servers[0], None)
    assert shown["degraded"] is True
    last = shown["checks"][0]["last"]
    assert (last["factor"], last["degraded"], "weight" in last) == (0.75, True, False)


async def test_what_scripts_of_keepalived_ask_for_adds_up() -> None:
    """100 - 30 - 50 is in the table; that a change comes in its time holds for the sum."""
    dynamic = Command(command=("/bin/true",), style="keepalived", dynamic=True)
    checks = [check(name, checker=dynamic) for name in ("disk", "queue")]
    run = Running(replace(service(server(A, 100), checks=checks), damping=DAMPING), actual=table((A, 100)))
    run.record(A, passed(Code.PROCOK, "exit status 72", weight=70), "disk")
    run.record(A, passed(Code.PROCOK, "exit status 52", weight=50), "queue")
    assert run.weights() == {A: 70}
    await run.clock.advance(10)
    assert run.weights() == {A: 20}
    run.record(A, passed(Code.PROCOK, "exit status 2", weight=0), "disk")
    assert run.weights() == {A: 0}
