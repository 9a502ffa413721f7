"""What the outcomes of a service add up to: how many of each code, and how long they took.

Whatever codes a plugin makes up, there are at most `MOST_CODES` of them here; what is more counts as `OTHER`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from checkers.base import Outcome, Status

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds, in seconds, of the classes of durations; the last class has none."""

MOST_CODES = 64
OTHER = "other"

Counted = tuple[str, Status, str]
"""The name of a check, a status and a code."""


@dataclass(frozen=True, slots=True)
class TallyView:
    """`durations` has a number for each of `BOUNDS`, and one for what took longer; none of them is cumulative."""

    outcomes: Mapping[Counted, int]
    durations: tuple[int, ...]
    seconds: float


@dataclass(slots=True)
class Repeated:
    """Outcomes that differ in nothing but how long they took: how many in each class of durations, and all seconds."""

    status: Status
    code: str
    durations: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        self.seconds += seconds
        number = bisect_left(BOUNDS, seconds)
        self.durations[number] = self.durations.get(number, 0) + 1


@dataclass(slots=True)
class Tally:
    """Counts from the start of the process, or of the service, and never goes back."""

    outcomes: dict[Counted, int] = field(default_factory=dict)
    durations: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0

    def add(self, check: str, outcome: Outcome) -> None:
        seconds = outcome.seconds
        self.seconds += seconds
        self.durations[bisect_left(BOUNDS, seconds)] += 1
        counted = (check, outcome.status, outcome.code)
        try:
            self.outcomes[counted] += 1
        except KeyError:
            if len(self.outcomes) >= MOST_CODES:
                counted = (check, outcome.status, OTHER)
            self.outcomes[counted] = self.outcomes.get(counted, 0) + 1

    def add_many(self, check: str, repeated: Repeated) -> None:
        """As if each of them had been added."""
        self.seconds += repeated.seconds
        for number, count in repeated.durations.items():
            self.durations[number] += count
        counted = (check, repeated.status, repeated.code)
        if counted not in self.outcomes and len(self.outcomes) >= MOST_CODES:
            counted = (check, repeated.status, OTHER)
        self.outcomes[counted] = self.outcomes.get(counted, 0) + sum(repeated.durations.values())

    @property
    def view(self) -> TallyView:
        return TallyView(dict(self.outcomes), tuple(self.durations), self.seconds)


class Latency(NamedTuple):
    """What the outcomes of one check of one server took since this was last taken, in seconds."""

    service: str
    server: str
    check: str
    outcomes: int
    fails: int
    total: float
    longest: float
