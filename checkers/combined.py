"""Several questions asked at once, and one answer made of theirs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from checkers.base import Checker, Code, Failed, OptionError, Outcome, Phase, Status, Target, Unable, passed
from checkers.fault import deadline_outcome
from checkers.part import Part, PartTrace, answer
from checkers.votes import Vote, counted, wish_of

MOST_PARTS = 32


@dataclass(frozen=True, kw_only=True)
class Combined(Checker):
    """Asks several questions at once and makes one answer of theirs, by their votes.

    `part` are the questions, each a table with the `type` and the options of its kind. The check is over as soon as
    what is still to come cannot change its answer.
    """

    needs_port: ClassVar[bool] = False
    routed: ClassVar[bool | None] = False
    phased: ClassVar[bool] = False

    part: tuple[Part, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= len(self.part) <= MOST_PARTS:
            raise OptionError("part", f"must be from 1 to {MOST_PARTS} tables, not {len(self.part)}")

    @property
    def questions(self) -> int:
        return sum(part.checker.questions for part in self.part)

    @property
    def total(self) -> int:
        """The votes of all parts."""
        return sum(part.weight for part in self.part)

    @property
    def needed(self) -> int:
        """The votes that it takes to pass."""
        raise NotImplementedError

    async def check(self, target: Target) -> Outcome:
        votes = [Vote(name, part.weight) for name, part in zip(_names(self.part), self.part, strict=True)]
        traces = [PartTrace(vote.name, target.trace) for vote in votes]
        tasks = [
            asyncio.create_task(answer(part, target, trace)) for part, trace in zip(self.part, traces, strict=True)
        ]
        try:
            while self._open(votes, tasks):
                await asyncio.wait([task for task in tasks if not task.done()], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._cut_off(votes, traces, target)
            raise
        finally:
            await _ended(tasks)
        return self._outcome(votes)

    def _open(self, votes: list[Vote], tasks: list[asyncio.Task[Outcome]]) -> bool:
        """Takes in what has come; whether the rest can still decide."""
        for vote, task in zip(votes, tasks, strict=True):
            if task.done() and vote.outcome is None:
                vote.outcome = task.result()
        return counted(votes, self.needed) is None

    def _cut_off(self, votes: list[Vote], traces: list[PartTrace], target: Target) -> None:
        """Leaves in the trace what the deadline means: for each part without an answer what it does for it alone.

        Raises:
            Unable: parts that could not be asked might have made it pass.

        """
        late = [(vote, trace) for vote, trace in zip(votes, traces, strict=True) if vote.outcome is None]
        for vote, trace in late:
            vote.outcome = deadline_outcome(trace, 0.0)
        match counted(votes, self.needed):
            case Status.UNKNOWN:
                self._outcome(votes)
            case Status.PASS:
                target.trace.enter(Phase.ANSWERED, self._outcome(votes).detail)
            case _:
                failed = [(vote, trace) for vote, trace in late if vote.outcome and vote.outcome.status is Status.FAIL]
                phase = failed[0][1].phase if failed else Phase.START
                waits = (f"{vote.name} ({trace.text})" if trace.text else vote.name for vote, trace in failed)
                target.trace.enter(phase, "waiting for " + ", ".join(waits))

    def _outcome(self, votes: Sequence[Vote]) -> Outcome:
        status = counted(votes, self.needed) or Status.UNKNOWN
        deciding = [vote for vote in votes if vote.outcome is not None and vote.outcome.status is status]
        told = "; ".join(f"{vote.name} {vote.outcome}" for vote in deciding)
        code = next((vote.outcome.code for vote in deciding if vote.outcome is not None), Code.SOCKERR)
        detail = f"{self._score(votes)}: {told}"
        if status is Status.PASS:
            weight, factor, degraded = wish_of(deciding)
            return passed(code, detail, weight=weight, factor=factor, degraded=degraded)
        if status is Status.FAIL:
            raise Failed(code, detail)
        raise Unable(code, detail)

    def _score(self, votes: Sequence[Vote]) -> str:
        won = sum(vote.weight for vote in votes if vote.outcome and vote.outcome.status is Status.PASS)
        return f"{won} of {self.total} votes, {self.needed} needed"


@dataclass(frozen=True, kw_only=True)
class AtLeast(Combined):
    """Passes when parts with at least so many `votes` do, asked all at once. A part's `weight` is how many it has."""

    votes: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.votes <= self.total:
            raise OptionError("votes", f"must be from 1 to {self.total}, the votes of all parts, not {self.votes}")

    @property
    def needed(self) -> int:
        return self.votes


@dataclass(frozen=True, kw_only=True)
class _Unweighted(Combined):
    """The base of those that do not count."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(part.weight != 1 for part in self.part):
            raise OptionError("part", 'a weight of a part only counts with type = "at_least"')

    def _score(self, votes: Sequence[Vote]) -> str:
        won = sum(1 for vote in votes if vote.outcome and vote.outcome.status is Status.PASS)
        return f"{won} of {len(votes)} passed"


@dataclass(frozen=True, kw_only=True)
class All(_Unweighted):
    """Passes when every part does, asked all at once; the first that fails decides."""

    @property
    def needed(self) -> int:
        return self.total


@dataclass(frozen=True, kw_only=True)
class Any(_Unweighted):
    """Passes when one part does, asked all at once; the first that passes decides."""

    @property
    def needed(self) -> int:
        return 1


def questions(checker: Checker) -> Iterator[Checker]:
    """The checker itself, or those that it is combined of; one without a port of its own has that of the whole."""
    if not isinstance(checker, Combined):
        yield checker
    elif checker.port is None:
        for part in checker.part:
            yield from questions(part.checker)


def _names(parts: Sequence[Part]) -> Iterator[str]:
    """Each part's kind, with a number where there are several of it."""
    several = Counter(part.kind for part in parts)
    seen: Counter[str] = Counter()
    for part in parts:
        seen[part.kind] += 1
        yield f"{part.kind}-{seen[part.kind]}" if several[part.kind] > 1 else part.kind


async def _ended(tasks: list[asyncio.Task[Outcome]]) -> None:
    """Cancels what is no longer needed, and sees to it that it has cleaned up."""
    left = [task for task in tasks if not task.done()]
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left)
