"""Time that this process has lost: checks were under way, and nobody looked at what had happened.

The process was stopped, or something held up its event loop. What a check loses of its time in this way, be it at its
end or in its midst, is not held against the server.
"""

from __future__ import annotations

from healthd.clock import Clock

HEARTBEAT = 0.05
"""Seconds after which somebody looks at the latest while a check is under way."""

USUAL = HEARTBEAT + 0.03
"""Seconds between two looks that count as none lost: on a busy machine every look is some milliseconds late."""


class LostTime:
    """In seconds, of all gaps between two looks that were longer than usual."""

    __slots__ = ("_looked", "total")

    def __init__(self) -> None:
        self.total = 0.0
        self._looked = 0.0

    def begin(self, now: float) -> None:
        """Until now there was nothing to look at."""
        self._looked = now

    def look(self, now: float) -> None:
        """All that had happened until now is dealt with."""
        self.total = self.until(now)
        self._looked = now

    def until(self, now: float) -> float:
        """With the gap that may be going on."""
        return self.total + max(0.0, now - self._looked - USUAL)


class Vigil:
    """Looks regularly at the clock while checks are under way in tasks: what its timer misses, they miss too."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lost = LostTime()
        self._under_way = 0
        self._armed = False

    @property
    def lost(self) -> float:
        """So far, in seconds."""
        return self._lost.until(self._clock.monotonic())

    def begin(self) -> float:
        """To be called when a check begins; what had been lost before."""
        now = self._clock.monotonic()
        if not self._under_way:
            self._lost.begin(now)
        self._under_way += 1
        if not self._armed:
            self._arm(now)
        return self._lost.until(now)

    def end(self) -> None:
        """To be called once for every `begin`."""
        self._under_way -= 1

    def _arm(self, now: float) -> None:
        self._armed = True
        self._clock.call_at(now + HEARTBEAT, self._look)

    def _look(self) -> None:
        self._armed = False
        if self._under_way:
            now = self._clock.monotonic()
            self._lost.look(now)
            self._arm(now)
