"""The last events, each with an id, for those who follow them and come back after a lost connection.

An id is the microsecond of the event since the epoch, or the next free number: ids grow, also over restarts, and an id
that is no longer kept still tells from when on somebody has missed something.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from healthd.events import Bus, Event

KEPT = 1000
AT_ONCE = 100
"""Events that are taken over, or handed out, before everybody else has a turn."""


@dataclass(slots=True)
class Numbered:
    id: int
    event: Event
    _data: str = ""

    @property
    def data(self) -> str:
        """The event's record in JSON, on one line: made once for all who follow, and not where nobody does."""
        if not self._data:
            self._data = json.dumps(self.event.record(), separators=(",", ":"))
        return self._data


def id_at(wall: float) -> int:
    """The id of what happens at that time, unless it is taken."""
    return int(wall * 1_000_000)


class Overtaken(Exception):  # noqa: N818 - named for what happened
    """What comes next for this reader is no longer kept."""


class Ring:
    """Listens from its construction on, at the wall-clock time `now`; what came before is another life's."""

    def __init__(self, bus: Bus, now: float, kept: int = KEPT) -> None:
        self._subscription = bus.subscribe()
        self._kept: deque[Numbered] = deque(maxlen=kept)
        self._arrived = asyncio.Event()
        self._dropped = 0
        self.forgotten = id_at(now)
        """The newest id of which nothing is known any more."""
        self.last = self.forgotten
        self.newest: dict[str, float] = {}
        """When something of each kind happened last."""
        self.closed = False

    async def run(self) -> None:
        """Takes over events until it is cancelled."""
        while True:
            self._take(await self._subscription.get())
            for _ in range(AT_ONCE):
                event = self._subscription.get_nowait()
                if event is None:
                    break
                self._take(event)
            self._wake()
            await asyncio.sleep(0)

    def close(self) -> None:
        """Whoever follows comes to the end."""
        self.closed = True
        while (event := self._subscription.get_nowait()) is not None:
            self._take(event)
        self._wake()

    def after(self, last: int) -> Sequence[Numbered]:
        """Some of the events that came after the one of this id, oldest first.

        Raises:
            Overtaken: some of those are no longer kept.
        """
        if last < self.forgotten:
            raise Overtaken
        new: list[Numbered] = []
        for each in reversed(self._kept):
            if each.id <= last:
                break
            new.append(each)
        return new[: -AT_ONCE - 1 : -1]

    async def news(self) -> None:
        """Returns when something has come, or will come no more, since the call."""
        if not self.closed:
            await self._arrived.wait()

    def _take(self, event: Event) -> None:
        self.last = max(self.last + 1, id_at(event.at))
        self.newest[event.kind] = event.at
        if self._subscription.dropped > self._dropped:  # more came than could be kept before this one
            self._dropped = self._subscription.dropped
            self._kept.clear()
            self.forgotten = self.last - 1
        if len(self._kept) == self._kept.maxlen:
            self.forgotten = self._kept[0].id
        self._kept.append(Numbered(self.last, event))

    def _wake(self) -> None:
        arrived, self._arrived = self._arrived, asyncio.Event()
        arrived.set()
