"""The page of metrics as it is sent: in pieces, between which everything else has its turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable, Iterator
from itertools import chain

from healthd.metrics.daemon import EventCounter, Inside, of_daemon
from healthd.metrics.servers import of_servers, of_services
from healthd.metrics.text import Family, lines
from healthd.model import Counts
from healthd.snapshot import Snapshot

SLICE = 1000
"""Lines in one piece: a millisecond or two."""


class Metrics:
    """`counts` gives what the kernel counts, and nothing where they cannot be had."""

    def __init__(
        self,
        counter: EventCounter,
        snapshot: Callable[[], Generator[None, None, Snapshot]],
        inside: Callable[[], Inside],
        counts: Callable[[], Awaitable[Counts]],
    ) -> None:
        self._counter = counter
        self._snapshot = snapshot
        self._inside = inside
        self._counts = counts

    async def pieces(self) -> AsyncIterator[bytes]:
        """The page. One that nobody takes any more costs nothing more."""
        counts = await self._counts()
        snapshot = await _gathered(self._snapshot())
        families = chain(
            of_daemon(self._inside(), self._counter),
            of_services(snapshot),
            of_servers(snapshot, counts, self._counter.transitions),
        )
        for piece in _pieces(families):
            yield piece
            await asyncio.sleep(0)


async def _gathered(slices: Generator[None, None, Snapshot]) -> Snapshot:
    while True:
        try:
            next(slices)
        except StopIteration as done:
            snapshot: Snapshot = done.value
            return snapshot
        await asyncio.sleep(0)


def _pieces(families: Iterable[Family]) -> Iterator[bytes]:
    waiting: list[str] = []
    for family in families:
        for line in lines(family):
            waiting.append(line)
            if len(waiting) >= SLICE:
                yield "".join(waiting).encode()
                waiting.clear()
    if waiting:
        yield "".join(waiting).encode()
