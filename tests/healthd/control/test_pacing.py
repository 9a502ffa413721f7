from __future__ import annotations

import asyncio

import pytest

from healthd.clock import ManualClock, settle
from healthd.control import pacing
from healthd.control.failures import Failed
from healthd.control.pacing import Measures, Pace
from healthd.daemon import Daemon
from tests.healthd.control.conftest import stepped
from tests.support.asking import Client

PACE = Pace(3, 2.0)


async def taken(measures: Measures, who: str = "alice", what: str = "plan", pace: Pace = PACE) -> bool:
    try:
        async with measures.turn(who, what, pace):
            return True
    except Failed:
        return False


async def test_so_many_at_once_and_then_one_in_so_many_seconds() -> None:
    """However long it was quiet before, no more than the burst goes at once."""
    clock = ManualClock()
    measures = Measures(clock)
    await clock.advance(1000)
    assert [await taken(measures) for _ in range(5)] == [True, True, True, False, False]
    with pytest.raises(Failed, match="plan: 3 at once and then one in 2 s are carried out") as caught:
        async with measures.turn("alice", "plan", PACE):
            pytest.fail("it was too soon")
    assert caught.value.headers == {"Retry-After": "2"}
    await clock.advance(2)
    assert [await taken(measures) for _ in range(2)] == [True, False]
    await clock.advance(100)
    assert [await taken(measures) for _ in range(4)] == [True, True, True, False]


async def test_nobody_uses_up_the_measure_of_another() -> None:
    """Neither another person's, nor their own for something else."""
    measures = Measures(ManualClock())
    assert [await taken(measures) for _ in range(4)][-1] is False
    assert await taken(measures, "bob")
    assert await taken(measures, what="reload")


async def test_the_next_one_waits_for_the_answer_to_the_last() -> None:
    """So that one who does not wait for answers has no more under way than one who does."""
    measures = Measures(ManualClock())
    async with measures.turn("alice", "plan", PACE):
        with pytest.raises(Failed, match="plan: your last one is still under way"):
            async with measures.turn("alice", "plan", PACE):
                pytest.fail("there is one already")
        assert await taken(measures, "bob")
    assert await taken(measures)


async def test_alone_they_take_turns_in_the_order_in_which_they_came() -> None:
    """A failure, or one who goes away while waiting, holds up nobody."""
    measures, order = Measures(ManualClock()), list[str]()
    alone = Pace(3, 2.0, alone=True)
    release = asyncio.Event()

    async def work(who: str) -> None:
        async with measures.turn(who, "plan", alone):
            order.append(who)
            await release.wait()

    tasks = [asyncio.create_task(work(who)) for who in ("alice", "bob", "carol")]
    await settle()
    assert order == ["alice"]
    tasks[1].cancel()
    release.set()
    await asyncio.wait(tasks)
    assert order == ["alice", "carol"]
    assert await taken(measures, "bob", pace=alone)


async def test_measures_that_are_full_again_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many names come along."""
    monkeypatch.setattr(pacing, "MOST_KEPT", 10)
    clock = ManualClock()
    measures = Measures(clock)
    for number in range(50):
        assert await taken(measures, f"user {number}")
        await clock.advance(1)
    assert len(measures._full_at) <= 11


@pytest.mark.parametrize("act", ["reload", "plan", "alert-test"])
async def test_who_asks_for_what_is_dear_too_often_is_told_so(client: Client, daemon: Daemon, act: str) -> None:
    """With the seconds to wait, in the form of all errors; other acts are not affected."""
    clock = stepped(daemon)
    *done, refused = [await client.post(act) for _ in range(6)]
    assert [answer.status for answer in done] == [200] * 5
    assert (refused.status, refused.json["error"]["status"]) == (429, "too_often")
    assert refused.headers["Retry-After"] == "2"
    assert refused.messages == [f"{act}: 5 at once and then one in 2 s are carried out, no more"]
    await clock.advance(2)
    assert [(await client.post(act)).status for _ in range(2)] == [200, 429]
    assert (await client.post("check-now", {"servers": ["web/*"]})).status == 200


async def test_what_is_not_as_described_does_not_count(client: Client) -> None:
    """Mistakes cost nothing, and are told however many there are."""
    assert {(await client.post("reload", {"nonsense": 1})).status for _ in range(10)} == {400}
    assert (await client.post("reload")).status == 200
