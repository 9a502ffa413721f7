from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import dataclass

import pytest

from checkers.base import Checker, Code, Failed, Outcome, Status, Target, Unable
from healthd.clock import ManualClock, SystemClock, settle
from healthd.engine.boundary import run_check
from healthd.engine.lost import Vigil
from tests.support.building import FAIL, PASS
from tests.support.scheduling import Log, Slow


def target() -> Target:
    """A new one, as its trace is not to be shared."""
    return Target(address="10.0.0.1", port=80)


@dataclass(frozen=True, kw_only=True)
class Raising(Checker):
    """Raises what it is given."""

    error: BaseException

    async def check(self, target: Target) -> Outcome:  # noqa: ARG002 - nobody is asked
        raise self.error


@dataclass(frozen=True, kw_only=True)
class Returning(Checker):
    """Returns what it is given, which need not be an outcome."""

    value: object

    async def check(self, target: Target) -> Outcome:  # noqa: ARG002 - nobody is asked
        return self.value  # type: ignore[return-value] # what a plugin without types may do


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Failed(Code.L7RSP, "odd"), Outcome(Status.FAIL, Code.L7RSP, "odd")),
        (Unable(Code.SOCKERR, "none left"), Outcome(Status.UNKNOWN, Code.SOCKERR, "none left")),
        (ValueError("no"), Outcome(Status.UNKNOWN, Code.CRASH, "Raising raised \"ValueError('no')\"")),
        (SystemExit(3), Outcome(Status.UNKNOWN, Code.CRASH, 'Raising raised "SystemExit(3)"')),
        (TimeoutError(), Outcome(Status.UNKNOWN, Code.CRASH, 'Raising raised "TimeoutError()"')),
        (
            asyncio.CancelledError("a task of its own"),
            Outcome(Status.UNKNOWN, Code.CRASH, "Raising raised \"CancelledError('a task of its own')\""),
        ),
    ],
)
async def test_no_exception_of_a_checker_passes_the_boundary(error: BaseException, outcome: Outcome) -> None:
    """A checker's answer is an outcome; anything else that it raises is its own fault, and so UNKNOWN."""
    assert await run_check(Raising(error=error), target(), 5, ManualClock()) == outcome


async def test_a_crash_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """For the plugin's author."""
    await run_check(Raising(error=ZeroDivisionError()), target(), 5, ManualClock())
    (record,) = caplog.records
    assert record.getMessage() == "checker Raising raised while checking 10.0.0.1:80"
    assert record.exc_info is not None


@pytest.mark.parametrize(
    ("value", "shown"), [(None, '"None"'), (True, '"True"'), ("x" * 1000, "\"'" + "x" * 199 + '"...')]
)
async def test_a_checker_that_returns_no_outcome_is_unknown(value: object, shown: str) -> None:
    """Forgetting to return is a fault of the checker; what it returned is shown, within bounds."""
    outcome = await run_check(Returning(value=value), target(), 5, ManualClock())
    assert outcome == Outcome(Status.UNKNOWN, Code.CRASH, f"Returning returned {shown}, not an Outcome")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("pass", "L7OK"), TypeError),
        ((Status.PASS, 200), TypeError),
        ((Status.PASS, "L7OK", b"bytes"), TypeError),
        ((Status.PASS, "L7OK", "", 0.0, 1.5), TypeError),
        ((Status.PASS, "L7OK", "", 0.0, -1), ValueError),
        ((Status.PASS, "L7OK", "", 0.0, 65536), ValueError),
    ],
)
def test_an_outcome_that_nobody_could_work_with_cannot_be_made(
    arguments: tuple[object, ...], error: type[Exception]
) -> None:
    """The mistake shows in the checker that makes it, where it counts as a crash, and nowhere behind it."""
    with pytest.raises(error):
        Outcome(*arguments)  # type: ignore[arg-type] # what a plugin without types may do


async def test_the_deadline_is_one_for_everything() -> None:
    """A check that has not ended by then fails, with the code of how far it had come."""
    clock = ManualClock()
    log = Log(clock, took=100)
    asking = asyncio.create_task(run_check(Slow(log=log), target(), 3, clock))
    await clock.advance(2.9)
    assert not asking.done()
    await clock.advance(0.1)
    assert await asking == Outcome(
        Status.FAIL, Code.L7TOUT, "no result within 3 s while waiting for the answer", seconds=3.0
    )


async def test_a_deadline_that_we_saw_late_ourselves_is_unknown() -> None:
    """When this process was too busy to look, the server's answer may have been there all the time."""
    clock = ManualClock()
    asking = asyncio.create_task(run_check(Slow(log=Log(clock, took=100)), target(), 3, clock))
    await clock.advance(2.95)
    clock._now += 0.95
    await clock.advance(0)
    outcome = await asking
    assert (outcome.status, str(outcome)) == (
        Status.UNKNOWN,
        "LATE this process was 0.90 s late to look at the answer",
    )
    assert outcome.seconds == pytest.approx(3.9)


@pytest.mark.parametrize(("late", "status"), [(0.29, Status.FAIL), (0.31, Status.UNKNOWN)])
async def test_a_little_lateness_is_allowed(late: float, status: Status) -> None:
    """A tenth of the timeout does not excuse the server."""
    clock = ManualClock()
    asking = asyncio.create_task(run_check(Slow(log=Log(clock, took=100)), target(), 3, clock))
    await clock.advance(2.95)
    clock._now += 0.05 + late
    await clock.advance(0)
    assert (await asking).status is status


@pytest.mark.parametrize(("stopped", "status"), [(2.0, Status.UNKNOWN), (0.35, Status.FAIL)])
async def test_time_lost_in_the_midst_of_a_check_is_not_the_servers(stopped: float, status: Status) -> None:
    """The deadline itself is seen in time; what counts is whether the server had its time. A tenth is allowed."""
    clock = ManualClock()
    asking = asyncio.create_task(run_check(Slow(log=Log(clock, took=100)), target(), 3, clock))
    await clock.advance(0.5)
    clock._now += stopped
    await clock.advance(2.5 - stopped)
    outcome = await asking
    assert outcome.status is status
    assert outcome.seconds == pytest.approx(3)


async def test_what_was_lost_before_a_check_began_is_no_excuse() -> None:
    """Nor is a loss during another one, with the vigil that both share."""
    clock = ManualClock()
    vigil = Vigil(clock)
    slow = Slow(log=Log(clock, took=100))
    first = asyncio.create_task(run_check(slow, target(), 3, clock, vigil))
    await settle()
    clock._now += 2.0
    second = asyncio.create_task(run_check(slow, target(), 3, clock, vigil))
    await clock.advance(3.0)
    assert [(await first).status, (await second).status] == [Status.UNKNOWN, Status.FAIL]


async def test_the_duration_is_measured() -> None:
    """Whatever the checker says of it itself."""
    clock = ManualClock()
    asking = asyncio.create_task(run_check(Slow(log=Log(clock, ["F"], took=0.25)), target(), 3, clock))
    await clock.advance(1)
    assert await asking == dataclasses.replace(FAIL, seconds=0.25)


async def test_a_check_that_is_cancelled_from_outside_has_no_outcome() -> None:
    """The daemon stops, or the job is gone: that says nothing of anybody."""
    clock = ManualClock()
    asking = asyncio.create_task(run_check(Slow(log=Log(clock, took=100)), target(), 3, clock))
    await settle()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_real_time_is_kept_too() -> None:
    """The same deadline by the system's clock."""

    @dataclass(frozen=True, kw_only=True)
    class Hanging(Checker):
        async def check(self, target: Target) -> Outcome:  # noqa: ARG002 - nobody is asked
            await asyncio.Event().wait()
            return PASS

    outcome = await run_check(Hanging(), target(), 0.2, SystemClock())
    assert outcome.seconds > 0.19
    assert outcome.code in {Code.TOUT, Code.LATE}
