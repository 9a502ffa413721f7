"""One socket of a check that the engine runs: what has happened to it, and waiting for more."""

from __future__ import annotations

import select
import types
from collections.abc import Generator
from typing import Generic, TypeVar

WAIT = object()
"""What a check that waits hands to the engine. Nobody else has it, so nothing else can be awaited by mistake."""

EVENTS = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET
_BROKEN = select.EPOLLERR | select.EPOLLHUP
_READABLE = select.EPOLLIN | select.EPOLLRDHUP | _BROKEN
_WRITABLE = select.EPOLLOUT | _BROKEN

R = TypeVar("R")


class Watch(Generic[R]):
    """See `checkers.waiting.Watch`. `run` is whose socket it is, `happened` all events that are not used up."""

    __slots__ = ("happened", "run")

    def __init__(self, run: R) -> None:
        self.run = run
        self.happened = 0

    @property
    def broken(self) -> bool:
        return self.happened & _BROKEN != 0

    @property
    def ended(self) -> bool:
        return self.happened & select.EPOLLRDHUP != 0

    @types.coroutine
    def readable(self) -> Generator[object, None, None]:
        while not self.happened & _READABLE:
            yield WAIT

    @types.coroutine
    def writable(self) -> Generator[object, None, None]:
        self.happened &= ~select.EPOLLOUT
        while not self.happened & _WRITABLE:
            yield WAIT

    def drained(self) -> None:
        """The end of the stream stays: it is told only once, and may have come before what was just read."""
        self.happened &= select.EPOLLRDHUP | select.EPOLLHUP
