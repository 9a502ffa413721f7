from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from healthd.clock import Clock, Deadline, ManualClock, SystemClock, settle, sleep_until

Boundary = Callable[[float], AbstractAsyncContextManager[object]]

BOUNDARIES: list[Boundary] = [asyncio.timeout, lambda seconds: Deadline(SystemClock(), seconds)]
"""A Deadline promises what asyncio.timeout does, so the same tests hold for both."""

both = pytest.mark.parametrize("boundary", BOUNDARIES, ids=["asyncio.timeout", "Deadline"])


async def for_ever() -> None:
    await asyncio.Event().wait()


async def within(boundary: Boundary, seconds: float, work: Callable[[], Awaitable[object]]) -> object:
    async with boundary(seconds):
        return await work()


@both
async def test_what_takes_too_long_is_cancelled(boundary: Boundary) -> None:
    """TimeoutError; the task itself counts as not cancelled."""
    with pytest.raises(TimeoutError):
        await within(boundary, 0.02, for_ever)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@both
async def test_what_ends_in_time_is_left_alone(boundary: Boundary) -> None:
    """Its value and its own exceptions come through, and no timer strikes later."""

    async def value() -> str:
        return "done"

    async def wrong() -> None:
        raise LookupError

    assert await within(boundary, 0.02, value) == "done"
    with pytest.raises(LookupError):
        await within(boundary, 0.02, wrong)
    await sleep_until(SystemClock(), SystemClock().monotonic() + 0.05)


@both
async def test_what_ends_itself_when_it_is_cancelled_keeps_its_word(boundary: Boundary) -> None:
    """Another exception at the deadline is not turned into TimeoutError, nor is a result."""

    async def stubborn() -> str:
        try:
            await for_ever()
        except asyncio.CancelledError:
            return "rescued"
        return "never"

    async def angry() -> None:
        try:
            await for_ever()
        except asyncio.CancelledError:
            raise LookupError from None

    assert await within(boundary, 0.02, stubborn) == "rescued"
    with pytest.raises(LookupError):
        await within(boundary, 0.02, angry)


@both
async def test_a_cancellation_from_outside_stays_one(boundary: Boundary) -> None:
    """It is no timeout."""
    task = asyncio.create_task(within(boundary, 60, for_ever))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


@pytest.mark.parametrize("outside_first", [True, False])
async def test_a_cancellation_from_outside_at_the_deadline_wins(outside_first: bool) -> None:  # noqa: FBT001 - an order
    """Of two at the same time the one from outside is not lost, whichever comes first."""
    deadline = Deadline(ManualClock(), 3)
    task = asyncio.create_task(within(lambda _: deadline, 3, for_ever))
    await settle()
    for cancel in (task.cancel, deadline._strike) if outside_first else (deadline._strike, task.cancel):
        cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


@both
async def test_the_inner_of_two_deadlines_is_told_from_the_outer(boundary: Boundary) -> None:
    """Each turns its own cancellation only."""
    struck = []
    outer = boundary(60)

    async def work() -> None:
        try:
            await within(boundary, 0.01, for_ever)
        except TimeoutError:
            struck.append("inner")
        asyncio.get_running_loop().call_soon(strike, outer)
        await for_ever()

    with pytest.raises(TimeoutError):
        await within(lambda _: outer, 60, work)
    assert struck == ["inner"]


def strike(boundary: object) -> None:
    """Its time is over: not before the inner one's, however long nobody looks at either."""
    if isinstance(boundary, Deadline):
        boundary._strike()
    elif isinstance(boundary, asyncio.Timeout):
        boundary.reschedule(0)


@pytest.mark.parametrize("late", [0.0, 2.5])
async def test_a_deadline_tells_how_late_it_was(late: float) -> None:
    """By the clock that it was given: on time is 0, and `struck` says that it was reached."""
    clock = ManualClock()
    deadline = Deadline(clock, 3)
    task = asyncio.create_task(within(lambda _: deadline, 3, for_ever))
    await settle()
    assert not deadline.struck
    clock._now += 3 + late
    await clock.advance(0)
    with pytest.raises(TimeoutError):
        await task
    assert (deadline.struck, deadline.late) == (True, late)


async def test_a_deadline_needs_a_task() -> None:
    """Outside of any there is nothing to cancel, and that is said."""
    result: list[BaseException] = []

    def outside() -> None:
        entering = Deadline(SystemClock(), 1).__aenter__()
        try:
            entering.send(None)
        except RuntimeError as error:
            result.append(error)

    asyncio.get_running_loop().call_soon(outside)
    await settle()
    assert [str(error) for error in result] == ["a Deadline needs a task to cancel"]


async def test_a_manual_clock_stands_still_until_it_is_moved() -> None:
    """Both of its times move together, and only by `advance`."""
    clock = ManualClock(monotonic=50.0, wall=1000.0)
    await settle()
    assert (clock.monotonic(), clock.wall()) == (50.0, 1000.0)
    await clock.advance(2.5)
    assert (clock.monotonic(), clock.wall()) == (52.5, 1002.5)


async def test_a_manual_clock_stops_at_every_timer_on_the_way() -> None:
    """Each callback sees the time that it asked for; those for one time come in the order of asking."""
    clock = ManualClock(monotonic=0.0)
    seen: list[tuple[str, float]] = []

    def at(name: str, when: float) -> None:
        clock.call_at(when, lambda: seen.append((name, clock.monotonic())))

    at("third", 5)
    at("first", 1)
    at("second", 5 - 2)
    at("fourth", 5)
    at("later", 11)
    await clock.advance(10)
    assert seen == [("first", 1), ("second", 3), ("third", 5), ("fourth", 5)]
    assert clock.monotonic() == 10


async def test_a_timer_set_on_the_way_is_met_too() -> None:
    """What wakes up and sleeps again is woken again within the same `advance`."""
    clock = ManualClock(monotonic=0.0)
    woken: list[float] = []

    async def every_second() -> None:
        while True:
            await sleep_until(clock, clock.monotonic() + 1)
            woken.append(clock.monotonic())

    task = asyncio.create_task(every_second())
    await clock.advance(3)
    task.cancel()
    assert woken == [1, 2, 3]


@pytest.mark.parametrize("clock", [ManualClock(), SystemClock()], ids=["manual", "system"])
async def test_a_cancelled_timer_does_not_call_back(clock: Clock) -> None:
    """Nor does one that has called back already."""
    called: list[str] = []
    timer = clock.call_at(clock.monotonic() + 0.01, lambda: called.append("cancelled"))
    clock.call_at(clock.monotonic() + 0.02, lambda: called.append("kept"))
    timer.cancel()
    if isinstance(clock, ManualClock):
        await clock.advance(1)
    else:
        await sleep_until(clock, clock.monotonic() + 0.05)
    assert called == ["kept"]


async def test_the_system_clock_counts_as_the_loop_does() -> None:
    """Timers are given times of `monotonic`, so the two must agree."""
    loop = asyncio.get_running_loop()
    assert loop.time() <= SystemClock().monotonic() <= loop.time()
    assert SystemClock().wall() > 1_600_000_000
