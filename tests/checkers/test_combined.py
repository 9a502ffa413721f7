"""The parts here answer when they are told to; the deadline strikes as it does in the daemon."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from checkers.base import Checker, Code, Failed, OptionError, Outcome, Phase, Status, Target, Unable, passed
from checkers.combined import All, Any, AtLeast, Combined, questions
from checkers.part import Part
from checkers.tcp import Tcp
from healthd.clock import SystemClock
from healthd.engine.boundary import run_check
from tests.checkers.asking import ENOUGH, Notes, in_task, punctual

GOOD, BAD, UNASKED, HANGS, CRASHES, MEETS = "good", "bad", "unasked", "hangs", "crashes", "meets"
asked: list[Target] = []
"""Whom the parts of the running test have asked."""


@dataclass(frozen=True, kw_only=True)
class Told(Checker):
    """Does what it is told."""

    does: str = GOOD
    phase: Phase = Phase.TALK
    outcome: Outcome = field(default_factory=lambda: passed(Code.L7OK, "fine"))

    async def check(self, target: Target) -> Outcome:
        asked.append(target)
        target.trace.enter(self.phase, "sent the question")
        match self.does:
            case "bad":
                raise Failed(Code.L7STS, "503")
            case "unasked":
                raise Unable(Code.SOCKERR, "no descriptors")
            case "hangs":
                await asyncio.Event().wait()
            case "meets":
                while len(asked) < 2:  # noqa: ASYNC110 - the other one sets no asyncio.Event
                    await asyncio.sleep(0.01)
            case "crashes":
                raise RuntimeError("a bug")
            case "nothing":
                return None  # type: ignore[return-value] # as a plugin may
        return self.outcome


def part(does: str = GOOD, kind: str = "told", weight: int = 1, **options: object) -> Part:
    return Part(kind=kind, checker=Told(does=does, **options), weight=weight)  # type: ignore[arg-type] # its fields


async def run(checker: Combined, seconds: float = ENOUGH) -> Outcome:
    asked.clear()
    return await punctual(lambda: in_task(checker, Target(address="10.0.0.1", port=80), seconds), asked.clear)


def of(kind: type[Combined], *does: str) -> Combined:
    return kind(part=tuple(part(each, kind=f"{each}") for each in does))


@pytest.mark.parametrize(
    ("kind", "does", "status", "said"),
    [
        (All, (GOOD, GOOD), Status.PASS, "L7OK 2 of 2 passed: good-1 L7OK fine; good-2 L7OK fine"),
        (All, (GOOD, BAD), Status.FAIL, "L7STS 1 of 2 passed: bad L7STS 503"),
        (All, (BAD, UNASKED), Status.FAIL, "L7STS 0 of 2 passed: bad L7STS 503"),
        (All, (GOOD, UNASKED), Status.UNKNOWN, "SOCKERR 1 of 2 passed: unasked SOCKERR no descriptors"),
        (Any, (BAD, GOOD), Status.PASS, "L7OK 1 of 2 passed: good L7OK fine"),
        (Any, (UNASKED, GOOD), Status.PASS, "L7OK 1 of 2 passed: good L7OK fine"),
        (Any, (BAD, BAD), Status.FAIL, "L7STS 0 of 2 passed: bad-1 L7STS 503; bad-2 L7STS 503"),
        (Any, (BAD, UNASKED), Status.UNKNOWN, "SOCKERR 0 of 2 passed: unasked SOCKERR no descriptors"),
    ],
)
async def test_what_is_told(kind: type[Combined], does: tuple[str, ...], status: Status, said: str) -> None:
    """The code is that of the first part that decided, and the detail names all that did."""
    outcome = await run(of(kind, *does))
    assert (outcome.status, str(outcome)) == (status, said)


async def test_votes() -> None:
    """A part has as many as its weight."""
    parts = (part(weight=3, kind="big"), part(BAD, kind="small"), part(BAD, kind="smaller"))
    assert str(await run(AtLeast(part=parts, votes=3))) == "L7OK 3 of 5 votes, 3 needed: big L7OK fine"
    lost = await run(AtLeast(part=parts, votes=4))
    assert str(lost) == "L7STS 3 of 5 votes, 4 needed: small L7STS 503; smaller L7STS 503"


async def test_the_first_that_decides_ends_it() -> None:
    """The others are cancelled and have cleaned up: nothing of them is left behind."""
    before = asyncio.all_tasks()
    assert (await run(of(Any, GOOD, HANGS))).status is Status.PASS
    assert (await run(of(All, BAD, HANGS))).status is Status.FAIL
    assert asyncio.all_tasks() == before


async def test_the_parts_are_asked_at_once() -> None:
    """Two that each wait until the other has been asked too do not wait for ever."""
    assert (await run(of(All, MEETS, MEETS))).status is Status.PASS


@pytest.mark.parametrize(
    ("kind", "does", "status", "said"),
    [
        (All, (GOOD, HANGS), Status.FAIL, "L7TOUT no result within 0.3 s while waiting for hangs (sent the question)"),
        (Any, (HANGS, BAD), Status.FAIL, "L7TOUT no result within 0.3 s while waiting for hangs (sent the question)"),
        (Any, (HANGS, UNASKED), Status.UNKNOWN, "SOCKERR 0 of 2 passed: unasked SOCKERR no descriptors"),
    ],
)
async def test_at_the_deadline_who_has_not_answered_has_failed(
    kind: type[Combined], does: tuple[str, ...], status: Status, said: str
) -> None:
    """But what could not be asked might still have made it pass."""
    before = asyncio.all_tasks()
    outcome = await run(of(kind, *does), 0.3)
    assert (outcome.status, str(outcome)) == (status, said)
    assert asyncio.all_tasks() == before


async def test_silence_that_is_good_alone_is_good_here() -> None:
    """A part for which the deadline is no failure, such as UDP without an answer, passes at it."""
    outcome = await run(All(part=(part(), part(HANGS, kind="udp", phase=Phase.SILENT))), 0.3)
    assert outcome.status is Status.PASS
    assert "udp L4OK" in outcome.detail


@pytest.mark.parametrize(("does", "said"), [(CRASHES, 'raised "RuntimeError'), ("nothing", 'returned "None"')])
async def test_a_part_with_a_bug_is_unknown(does: str, said: str, caplog: pytest.LogCaptureFixture) -> None:
    """And the others decide without it; an exception is logged with its traceback."""
    assert (await run(of(Any, does, GOOD))).status is Status.PASS
    outcome = await run(of(All, does, GOOD))
    assert (outcome.status, outcome.code) == (Status.UNKNOWN, Code.CRASH)
    assert said in outcome.detail
    assert ("a bug" in caplog.text) is (does == CRASHES)


async def test_who_is_asked() -> None:
    """The target of the whole, but for an address or a port that a part has itself."""
    await run(All(part=(part(), part(address="10.9.9.9"), part(port=25))))
    assert [(target.address, target.port) for target in asked] == [("10.0.0.1", 80), ("10.9.9.9", 80), ("10.0.0.1", 25)]


async def test_wishes_are_passed_on() -> None:
    """The smallest, of the parts that passed."""
    asks = part(outcome=passed(Code.L7OK, factor=0.5, degraded=True))
    outcome = await run(All(part=(asks, part(outcome=passed(Code.L7OK, weight=9)))))
    assert (outcome.weight, outcome.factor, outcome.degraded) == (9, 0.5, True)


async def test_a_part_may_be_combined_itself() -> None:
    """Down to any depth, and the questions are counted for their descriptors."""
    inner = Part(kind="any", checker=of(Any, BAD, GOOD))
    whole = All(part=(inner, part()))
    assert str(await run(whole)) == "L7OK 2 of 2 passed: any L7OK 1 of 2 passed: good L7OK fine; told L7OK fine"
    assert whole.questions == 3
    assert [type(each) for each in questions(whole)] == [Told, Told, Told]


async def test_a_probe_sees_the_steps_of_the_parts() -> None:
    """Each under the name of its part."""
    trace = Notes()
    await run_check(of(All, GOOD, "nothing"), Target(address="10.0.0.1", port=80, trace=trace), 5.0, SystemClock())
    assert trace.notes == ["good: sent the question", "nothing: sent the question"]


def test_options_that_cannot_work() -> None:
    """Votes that nobody has, a weight that nobody counts, no part at all."""
    one = Part(kind="tcp", checker=Tcp())
    for make, option in (
        (lambda: All(part=()), "part"),
        (lambda: All(part=(one,) * 33), "part"),
        (lambda: Any(part=(one, part(weight=2))), "part"),
        (lambda: AtLeast(part=(one, one), votes=3), "votes"),
        (lambda: AtLeast(part=(one, one), votes=0), "votes"),
        (lambda: All(part=(one,), source="10.0.0.9"), "source"),
    ):
        with pytest.raises(OptionError) as caught:
            make()
        assert caught.value.option == option
