"""How often somebody may ask for what is dear: so many at once, then one in so many seconds, each with its own measure.

Nobody waits for another's patience: who asks too often is told when to come back, and the others notice nothing.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from healthd.clock import Clock
from healthd.control.failures import Failed

MOST_KEPT = 1000
"""Measures that are kept; beyond it those that are full again are forgotten."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`burst` at once, and one every `every` seconds. With `alone` one is under way at a time, whoever asked."""

    burst: int
    every: float
    alone: bool = False


Key = tuple[str, str]
"""Who, and what."""


class Measures:
    """One measure for each person and path: it empties with every request, and fills with time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._full_at: dict[Key, float] = {}
        self._under_way: set[Key] = set()
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def turn(self, who: str, what: str, pace: Pace) -> AsyncIterator[None]:
        """While it is inside nobody gets another turn for the same; `alone`, who comes first is served first.

        Raises:
            Failed: it is too soon.

        """
        key = (who, what)
        self._take(key, pace)
        self._under_way.add(key)
        try:
            if pace.alone:
                async with self._turns[what]:
                    yield
            else:
                yield
        finally:
            self._under_way.discard(key)

    def _take(self, key: Key, pace: Pace) -> None:
        if key in self._under_way:
            raise Failed("too_often", f"{key[1]}: your last one is still under way", retry_after=pace.every)
        now = self._clock.monotonic()
        full_at = max(now, self._full_at.get(key, now)) + pace.every
        too_soon = full_at - pace.burst * pace.every - now
        if too_soon > 0:
            text = f"{key[1]}: {pace.burst} at once and then one in {pace.every:g} s are carried out, no more"
            raise Failed("too_often", text, retry_after=too_soon)
        if len(self._full_at) >= MOST_KEPT:
            self._full_at = {kept: at for kept, at in self._full_at.items() if at > now}
        self._full_at[key] = full_at
