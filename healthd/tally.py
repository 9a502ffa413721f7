"""What the outcomes of a service add up to: how many of each code, and how long they and their phases took.

Whatever codes a plugin makes up, there are at most `MOST_CODES` of them here; what is more counts as `OTHER`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from checkers.base import Outcome, Status
from healthd.phases import NOTHING, Spent

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds, in seconds, of the classes of durations; the last class has none."""

MOST_CODES = 64
OTHER = "other"

WHOLE = "whole"
"""What stands among the parts of a check for all of it, from its start to its outcome."""

Counted = tuple[str, Status, str]
"""The name of a check, a status and a code."""


class DurationsView(NamedTuple):
    """`counts` has a number for each of `BOUNDS`, and one for what took longer; none of them is cumulative."""

    counts: tuple[int, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class TallyView:
    """`durations` of each part of the checks that there was, `WHOLE` among them."""

    outcomes: Mapping[Counted, int]
    durations: Mapping[str, DurationsView]


@dataclass(slots=True)
class Durations:
    """How many were in each class, and all their seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        self.seconds += seconds
        self.counts[bisect_left(BOUNDS, seconds)] += 1

    def add_all(self, others: Durations) -> None:
        self.seconds += others.seconds
        self.counts = [count + other for count, other in zip(self.counts, others.counts, strict=True)]

    @property
    def view(self) -> DurationsView:
        return DurationsView(tuple(self.counts), self.seconds)


class Parts(dict[str, Durations]):
    """The durations of each part; one that there was not yet begins with its first duration."""

    def __missing__(self, part: str) -> Durations:
        self[part] = durations = Durations()
        return durations

    def add(self, seconds: float, spent: Spent) -> None:
        """A check that took so many seconds in all, and those that it `spent` in its parts."""
        self[WHOLE].add(seconds)
        for part, took in spent.items():
            self[part].add(took)


@dataclass(slots=True)
class Repeated:
    """Outcomes that differ in nothing but how long they and their parts took."""

    status: Status
    code: str
    durations: Parts = field(default_factory=Parts)

    @property
    def count(self) -> int:
        return sum(self.durations[WHOLE].counts)


@dataclass(slots=True)
class Tally:
    """Counts from the start of the process, or of the service, and never goes back."""

    outcomes: dict[Counted, int] = field(default_factory=dict)
    durations: Parts = field(default_factory=Parts)

    def add(self, check: str, outcome: Outcome, spent: Spent = NOTHING) -> None:
        self.durations.add(outcome.seconds, spent)
        counted = (check, outcome.status, outcome.code)
        try:
            self.outcomes[counted] += 1
        except KeyError:
            if len(self.outcomes) >= MOST_CODES:
                counted = (check, outcome.status, OTHER)
            self.outcomes[counted] = self.outcomes.get(counted, 0) + 1

    def add_many(self, check: str, repeated: Repeated) -> None:
        """As if each of them had been added."""
        for part, durations in repeated.durations.items():
            self.durations[part].add_all(durations)
        counted = (check, repeated.status, repeated.code)
        if counted not in self.outcomes and len(self.outcomes) >= MOST_CODES:
            counted = (check, repeated.status, OTHER)
        self.outcomes[counted] = self.outcomes.get(counted, 0) + repeated.count

    @property
    def view(self) -> TallyView:
        durations = {part: durations.view for part, durations in self.durations.items()}
        return TallyView(dict(self.outcomes), durations)


class Latency(NamedTuple):
    """What the outcomes of one check of one server took since this was last taken, in seconds."""

    service: str
    server: str
    check: str
    outcomes: int
    fails: int
    total: float
    longest: float
