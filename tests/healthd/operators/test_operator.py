from __future__ import annotations

from pathlib import Path

import pytest

from healthd.config.values import AllDown, OnFailure
from healthd.events import ActRefused, AlertTested
from healthd.model import Endpoint
from healthd.operators.operator import Done, Order, Refused
from healthd.overrides import Admin, SetWeight
from tests.support.building import OTHER_KEY, SORRY, A, B, C, server, service
from tests.support.controlling import table
from tests.support.operating import FORCE, ORDER, Running
from tests.support.reconciling import both

GOOD = table((A, 1), (B, 1), (C, 1))


def running(**options: object) -> Running:
    return Running(service(A, B, C, **options), actual=GOOD)  # type: ignore[arg-type] # options of a service


async def test_a_drained_server_keeps_its_place_at_weight_0() -> None:
    """Its connections end in peace and new ones go elsewhere; the edit is in the answer and in the event."""
    site = running()
    async with site.going():
        done = await site.operator.drain("web/10.0.0.1:80", ORDER, limit=None)
        await site.settled()
        assert site.weights() == {A: 0, B: 1, C: 1}
    edit = "-e -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 0"
    assert done.edits == (edit,)
    assert done.servers == (("web", A),)
    assert done.texts == (f"web: server 10.0.0.1:80 drained by root (new kernel); table: {edit}",)
    assert site.told("drain_began") == list(done.texts)


async def test_ready_brings_a_drained_server_back_at_once() -> None:
    """Its checks have gone on, and nothing was wrong."""
    site = running()
    async with site.going():
        await site.operator.drain("web/10.0.0.1:80", ORDER, limit=None)
        done = await site.operator.ready("web/10.0.0.1:80", Order(who="uid 1000"))
        await site.settled()
        assert site.weights() == {A: 1, B: 1, C: 1}
    assert site.controller.overrides == {}
    assert done.texts == (
        ("web: server 10.0.0.1:80 no longer drained by uid 1000; table: -e -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 1"),
    )


@pytest.mark.parametrize(("on_failure", "weights"), [("quiesce", {A: 0, B: 1, C: 1}), ("remove", {B: 1, C: 1})])
async def test_maintenance_stands_like_a_failure_and_ends_through_the_checks(
    on_failure: str, weights: dict[Endpoint, int]
) -> None:
    """It gets no traffic back before it has passed."""
    site = running(on_failure=OnFailure(on_failure))
    async with site.going():
        await site.operator.maintain("10.0.0.1", ORDER, ttl=60.0)
        await site.settled()
        assert site.weights() == weights
        await site.clock.advance(61)
        assert site.weights() == weights
        site.ask(A, "P")
        await site.settled()
        assert site.weights() == {A: 1, B: 1, C: 1}
    began, ended = site.told("maintenance_began", "maintenance_ended")
    assert began.startswith("web: server 10.0.0.1:80 in maintenance until 2027-01-15 08:01:00 UTC by root (new kernel)")
    assert ended.startswith("web: server 10.0.0.1:80 out of maintenance: its time is over; it is back")


async def test_a_drain_that_goes_on_too_long_is_cut() -> None:
    """It leaves the table whoever is connected, how many is told, and it comes back only through its checks."""
    site = running()
    async with site.going():
        site.connected(A, 3, 1, 0)
        await site.operator.drain("web/10.0.0.1:80", ORDER, limit=300)
        await site.clock.advance(299)
        assert site.weights() == {A: 0, B: 1, C: 1}
        await site.clock.advance(2)
        assert site.weights() == {B: 1, C: 1}
        (cut,) = site.told("drain_ended")
        assert cut == (
            "web: server 10.0.0.1:80 was drained long enough and is cut: 3 active, 1 inactive, 0 persistent "
            "connections left; table: -d -t 192.168.7.110:80 -r 10.0.0.1:80"
        )
        await site.operator.ready("web/10.0.0.1:80", ORDER)
        await site.settled()
        assert site.weights() == {B: 1, C: 1}
        site.ask(A, "P")
        await site.settled()
        assert site.weights() == {A: 1, B: 1, C: 1}


async def test_a_drain_is_done_when_nobody_is_connected() -> None:
    """That is told once, and the server stays drained until somebody brings it back, even past the limit."""
    site = running()
    async with site.going():
        site.connected(A, 1, 0, 0)
        await site.operator.drain("web/10.0.0.1:80", ORDER, limit=60)
        await site.clock.advance(10)
        assert site.told("drain_ended") == []
        site.connected(A, 0, 0, 1)
        await site.clock.advance(10)
        assert site.operator.drained == frozenset()
        site.connected(A)
        await site.clock.advance(10)
        assert site.told("drain_ended") == [
            "web: server 10.0.0.1:80 is drained: no connection left; it stays so until it is brought back"
        ]
        assert site.operator.drained == {("web", A)}
        await site.clock.advance(100)
        assert site.told("drain_ended") == []
        assert site.weights() == {A: 0, B: 1, C: 1}


async def test_a_weight_stands_in_for_the_configured_one() -> None:
    """A number or a share; 100% and nothing bring the configured one back."""
    site = Running(service(server(A, 10), B), actual=table((A, 10), (B, 1)))
    async with site.going():
        for weight, expected in ((SetWeight(50, percent=True), 5), (SetWeight(7), 7), (None, 10)):
            await site.operator.set_weight("web/10.0.0.1:80", ORDER, weight)
            await site.settled()
            assert site.weights() == {A: expected, B: 1}
        await site.operator.set_weight("web/10.0.0.1:80", ORDER, SetWeight(3))
        await site.operator.set_weight("web/10.0.0.1:80", ORDER, SetWeight(100, percent=True))
    assert site.controller.overrides == {}
    assert [text.partition(" by ")[0] for text in site.told("weight_set")] == [
        "web: server 10.0.0.1:80 weight set to 50%",
        "web: server 10.0.0.1:80 weight set to 7, before 50%",
        "web: server 10.0.0.1:80 has its configured weight again, before 7",
        "web: server 10.0.0.1:80 weight set to 3",
        "web: server 10.0.0.1:80 has its configured weight again, before 3",
    ]


async def test_a_weight_that_is_set_disturbs_no_drain_and_outlives_it() -> None:
    """The limit goes on from where it was, and what was set holds when the server is back."""
    site = running()
    async with site.going():
        site.connected(A, 1)
        await site.operator.drain("web/10.0.0.1:80", ORDER, limit=300)
        await site.clock.advance(200)
        await site.operator.set_weight("web/10.0.0.1:80", Order(who="other"), SetWeight(9))
        assert site.controller.overrides["web", A].who == "root"
        await site.clock.advance(101)
        assert site.weights() == {B: 1, C: 1}
        await site.operator.ready("web/10.0.0.1:80", ORDER)
        site.ask(A, "P")
        await site.settled()
        assert site.weights() == {A: 9, B: 1, C: 1}


async def test_what_leaves_too_few_is_refused_as_a_whole() -> None:
    """Nothing of the order is done, the message says what would be left, and the refusal is in the audit trail."""
    site = running(min_available=2)
    async with site.going():
        with pytest.raises(Refused) as refused:
            await site.operator.drain("web/10.0.0.[12]:80, web/10.0.0.?:80", ORDER, limit=None)
        assert refused.value.status == "not_found"
        with pytest.raises(Refused) as refused:
            await site.operator.drain(["10.0.0.1", "10.0.0.2"], ORDER, limit=None)
        await site.settled()
        assert site.weights() == {A: 1, B: 1, C: 1}
    message = "web: 1 of 3 servers would be left available, and min_available is 2; --force does it all the same"
    assert (refused.value.status, refused.value.messages) == ("conflict", (message,))
    last = [event for event in site.events() if isinstance(event, ActRefused)][-1]
    assert last.text() == f"refused to root: drain 10.0.0.1, 10.0.0.2: {message}"


async def test_force_leaves_a_service_with_too_few() -> None:
    """And the fallback that steps in is among the edits."""
    site = Running(service(A, fallback=SORRY), actual=table((A, 1)))
    async with site.going():
        with pytest.raises(Refused):
            await site.operator.maintain("web/*", ORDER, ttl=None)
        done = await site.operator.maintain("web/*", FORCE, ttl=None)
        await site.settled()
        assert site.weights() == {A: 0, SORRY: 1}
    assert len(done.edits) == 2


async def test_what_takes_nothing_away_is_never_refused() -> None:
    """A server that is down can be drained though the service has too few already."""
    site = Running(service(A, B, min_available=2), actual=table((A, 1), (B, 1)))
    site.ask(A, "FFF")
    assert (await site.operator.drain("web/10.0.0.1:80", ORDER, limit=None)).servers == (("web", A),)
    with pytest.raises(Refused):
        await site.operator.drain("web/10.0.0.2:80", ORDER, limit=None)
    with pytest.raises(Refused):
        await site.operator.set_weight("web/10.0.0.2:80", ORDER, SetWeight(0))


async def test_fail_open_brings_no_held_server_back() -> None:
    """All others are back at their configured weight."""
    site = Running(service(A, B, all_down=AllDown.ALL), actual=table((A, 1), (B, 1)))
    async with site.going():
        await site.operator.maintain("web/10.0.0.1:80", ORDER, ttl=None)
        site.ask(B, "FFF")
        site.ask(A, "FFF")
        await site.settled()
        assert site.weights() == {A: 0, B: 1}


async def test_a_server_alone_is_meant_in_every_service() -> None:
    """One order, one text for each."""
    site = Running(
        service(A, B),
        service(A, B, name="other", key=OTHER_KEY),
        actual=both(table((A, 1), (B, 1)), table((A, 1), (B, 1), key=OTHER_KEY)),
    )
    async with site.going():
        done = await site.operator.drain("10.0.0.1:80", ORDER, limit=None)
        await site.settled()
        assert done.servers == (("web", A), ("other", A))
        assert len(done.texts) == 2
        assert (site.weights(), site.weights(OTHER_KEY)) == ({A: 0, B: 1}, {A: 0, B: 1})


async def test_a_freeze_ends_by_itself_and_the_table_is_mended_at_once() -> None:
    """What is done meanwhile is held back, and said to be."""
    site = running()
    async with site.going():
        await site.operator.freeze(ORDER, ttl=60)
        done = await site.operator.drain("web/10.0.0.1:80", ORDER, limit=None)
        await site.clock.advance(30)
        assert site.weights() == {A: 1, B: 1, C: 1}
        assert [str(edit) for edit in site.reconciler.pending] == list(done.edits)
        assert done.texts[0].endswith("; the table is frozen, and edited when it is thawed")
        assert site.operator.drained == frozenset(), "new connections still come"
        assert site.controller.snapshot.frozen == site.operator.frozen
        await site.clock.advance(31)
        assert site.weights() == {A: 0, B: 1, C: 1}
        assert site.controller.snapshot.frozen is None
    assert site.told("frozen", "thawed") == [
        "table frozen until 2027-01-15 08:01:00 UTC by root (new kernel): it is looked at and not edited",
        "table thawed by healthd (its time is over): it is edited again",
    ]


async def test_checks_are_asked_for_out_of_turn() -> None:
    """Of all servers that were meant, and one event tells of all servers of a service."""
    site = running()
    done = await site.operator.check_now("web/*", ORDER)
    assert site.asked == [f"web/{end}/tcp" for end in (A, B, C)]
    assert done.texts == ("web: check asked for by root (new kernel): 10.0.0.1:80, 10.0.0.2:80, 10.0.0.3:80",)
    assert site.told("check_asked") == list(done.texts)


async def test_reload_and_plan_are_handed_on() -> None:
    """What comes of a reload is an event of its own."""
    site = running()
    assert (await site.operator.reload(ORDER)).texts == ("reload of the configuration asked for by root (new kernel)",)
    assert site.reloads == 1
    assert (await site.operator.plan(Path("/new"))).effects == ("/new",)


async def test_a_test_of_alerts_is_in_the_audit_trail() -> None:
    """Who sent it, why, and what came of it; that there is no such alert too."""
    site = running()
    assert await site.operator.test_alert("ops", ORDER) == Done(("ops: arrived",))
    (event,) = site.events()
    assert isinstance(event, AlertTested)
    assert (event.who, event.reason, event.results) == ("root", "new kernel", ("ops: arrived",))
    assert event.text() == "alerts tested by root (new kernel): ops: arrived"
    with pytest.raises(Refused) as refused:
        await site.operator.test_alert("nobody\n", ORDER)
    assert (refused.value.status, refused.value.messages) == ("not_found", ("there is no alert nobody\\n",))
    assert site.told() == ["refused to root: alert-test nobody\\n: there is no alert nobody\\n"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "limit must be more than 0 and at most 31622400 seconds, not 0"),
        (float("nan"), "limit must be more than 0 and at most 31622400 seconds, not nan"),
        (1e12, "limit must be more than 0 and at most 31622400 seconds, not 1e+12"),
    ],
)
async def test_a_time_has_bounds(seconds: float, text: str) -> None:
    """None of them is what somebody can have meant."""
    with pytest.raises(Refused) as refused:
        await running().operator.drain("web/*", FORCE, limit=seconds)
    assert (refused.value.status, refused.value.messages) == ("invalid", (text,))


@pytest.mark.parametrize("weight", [SetWeight(-1), SetWeight(65536), SetWeight(1001, percent=True)])
async def test_a_weight_has_bounds(weight: SetWeight) -> None:
    """Those of the kernel."""
    with pytest.raises(Refused) as refused:
        await running().operator.set_weight("web/10.0.0.1:80", FORCE, weight)
    assert refused.value.status == "invalid"


async def test_no_text_of_an_operator_can_forge_a_line() -> None:
    """Who it was and why are escaped and cut before anything is made of them."""
    site = running()
    await site.operator.drain("web/10.0.0.1:80", Order(who="ro\not", reason="x" * 1000), limit=None)
    override = site.controller.overrides["web", A]
    assert (override.who, len(override.reason)) == ("ro\\not", 500)
    with pytest.raises(Refused):
        await site.operator.drain("web/\n*", ORDER, limit=None)
    assert "\n" not in "".join(site.told())


async def test_the_same_once_more_is_no_news() -> None:
    """`ready` for a server that is ready says so and tells nobody."""
    site = running()
    assert (await site.operator.ready("web/10.0.0.1:80", ORDER)).texts == (
        "web: server 10.0.0.1:80 is as it was: ready",
    )
    assert site.told() == []


async def test_from_maintenance_to_a_drain_both_are_told() -> None:
    """Who waits for the end of the maintenance hears of it."""
    site = running()
    await site.operator.maintain("web/10.0.0.1:80", ORDER, ttl=60)
    await site.operator.drain("web/10.0.0.1:80", ORDER, limit=None)
    assert [event.kind for event in site.events()] == ["maintenance_began", "maintenance_ended", "drain_began"]
    assert site.controller.overrides["web", A].admin is Admin.DRAIN


async def test_an_alert_that_does_not_arrive_is_no_success() -> None:
    """It is told apart from what did."""
    site = running()
    done = await site.operator.test_alert(None, ORDER)
    assert (done.texts, done.failed) == (("ops: arrived",), ("chat: did not arrive: HTTP 404",))
    assert site.told() == ["alerts tested by root (new kernel): ops: arrived; chat: did not arrive: HTTP 404"]
