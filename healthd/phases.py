"""How long a check was in each of its phases, from what it tells its trace anyway."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from checkers.base import Phase, Trace
from healthd.clock import Clock

Spent = Mapping[str, float]
"""Seconds, by the parts of a check that it went through; those of `PARTS`."""

PARTS = frozenset(phase.part for phase in Phase if phase.part)

NOTHING: Spent = MappingProxyType({})

_START = Phase.START  # looking up a member of an enum costs as much as a call


class PhasedTrace(Trace):
    """A trace that knows when each phase began. A check begins with entering `START`, or with the trace.

    The clock is read only where one phase follows another: what comes before the first, nobody waits for.
    """

    __slots__ = ("_clock", "_parts", "_since")

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._since = clock.monotonic()
        self._parts: dict[str, float] | None = None  # those that are over; none while a check waits for its turn

    def enter(self, phase: Phase, text: str = "") -> None:
        before = self.phase
        if phase is _START:
            self._since, self._parts = self._clock.monotonic(), None
        elif phase is not before and before is not _START:
            now = self._clock.monotonic()
            self._add(before.part, now - self._since)
            self._since = now
        self.phase = phase
        self.text = text

    def spent(self, seconds: float) -> Spent:
        """What came of the `seconds` of a check that is over, which all its parts make up. Asked once for each check.

        Empty if the check does not say how far it comes.
        """
        parts, self._parts, self._since = self._parts, None, 0.0
        last = self.phase.part
        if parts is None:
            return {last: seconds} if last else NOTHING
        parts[last] = parts.get(last, 0.0) + max(seconds - sum(parts.values()), 0.0)
        return parts

    def _add(self, part: str, seconds: float) -> None:
        if self._parts is None:
            self._parts = {part: seconds}
        else:
            self._parts[part] = self._parts.get(part, 0.0) + seconds
