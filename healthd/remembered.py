"""What one run of healthd leaves to the next, as a value; `statefile` has the form that it has on the disk."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from checkers.base import Outcome
from healthd.model import Endpoint
from healthd.overrides import Freeze, Override
from healthd.plan import JobId
from healthd.verdict import Verdict

Key = tuple[str, Endpoint]
"""A server of a service."""


class Past(NamedTuple):
    """When the health of a server last changed, in wall-clock time, and how often it has."""

    since: float
    transitions: int


@dataclass(frozen=True, slots=True)
class Memory:
    """What was known `at` a wall-clock time. `drained` servers had nobody connected to them any more.

    `causes` are the newest of the outcomes that put checks down, of those that are.
    """

    verdicts: Mapping[JobId, Verdict] = field(default_factory=dict)
    causes: Mapping[JobId, Outcome] = field(default_factory=dict)
    pasts: Mapping[Key, Past] = field(default_factory=dict)
    overrides: Mapping[Key, Override] = field(default_factory=dict)
    drained: Collection[Key] = ()
    frozen: Freeze | None = None
    at: float = 0.0
