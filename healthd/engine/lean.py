"""Runs checks that wait for nothing but their sockets: one epoll object, no task and no timer for a single check.

Rules:

1. A check is a coroutine that is resumed when something happened to a socket of its. It awaits only an `Io`, which
   this is; a check that awaits anything else crashes at once.
2. Each socket is registered once and edge-triggered, so what happened is remembered until it is used up.
3. Nothing is done for one event alone: after each turn the engine rests for a moment, so that under load what happens
   in it is handled together. Without load the event loop watches, and an event is handled as it comes.
4. What the sockets hold is looked at before the deadlines. A check that has lost its time because nobody looked, be it
   at its end or in its midst, is not held against the server.
5. A check that leaves others their turn comes after all that wait already. While each that waits gets its turn in time,
   no time is lost and more checks begin, so a server that sends without end keeps nobody from anything.
"""

from __future__ import annotations

import asyncio
import math
import select
import types
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

from checkers.base import Checker, Outcome, Phase, Target
from healthd.clock import Clock, Timer
from healthd.engine.boundary import ESCAPES, answered, cut_off, raised
from healthd.engine.lost import HEARTBEAT, LostTime
from healthd.engine.watch import EVENTS, WAIT, Watch
from healthd.engine.wheel import GRID

REST = 0.001
"""Seconds between two turns under load. The loop's selector counts in milliseconds."""

BUSY = 3
"""Checks that begin or go on in one turn from which on that is load."""

SLICE = 64
"""Checks that go on in one turn at the most: everything else in the process wants its turn too."""

_START = Phase.START  # looking up a member of an enum costs as much as a call


class Run:
    """A question, and the one check of it that may be under way."""

    __slots__ = ("began", "checker", "coroutine", "deadline", "lost", "seconds", "target")

    def __init__(self, checker: Checker, target: Target, seconds: float) -> None:
        self.checker = checker
        self.target = target
        self.seconds = seconds
        self.coroutine: Coroutine[Any, Any, object] | None = None
        self.began = 0.0
        self.lost = 0.0
        self.deadline = math.inf


R = TypeVar("R", bound=Run)


class Engine(Generic[R]):
    """Each run that is started ends with one call of `done`, unless it is stopped."""

    def __init__(self, clock: Clock, done: Callable[[R, Outcome], None]) -> None:
        self._clock = clock
        self._done = done
        self._epoll = select.epoll()
        self._watches: dict[int, Watch[R]] = {}
        self._under_way: dict[R, None] = {}
        self._next_deadline = math.inf
        self._current: R | None = None
        self._ready: deque[R] = deque()
        self._owed = 0
        """How many of `_ready`, from the left, were there at `_owed_since` and have not had their turn since."""
        self._owed_since = 0.0
        self._begun = 0
        self._lost = LostTime()
        self._timer: Timer | None = None
        self._watched = False

    def watch(self, fd: int) -> Watch[R]:
        """See `checkers.waiting.Io`."""
        if self._current is None:
            raise RuntimeError("nobody is under way who could wait")
        self._epoll.register(fd, EVENTS)
        watch = self._watches[fd] = Watch(self._current)
        return watch

    @types.coroutine
    def turn(self) -> Generator[object, None, None]:
        """See `checkers.waiting.Io`."""
        if self._current is not None:
            self._ready.append(self._current)
        yield WAIT

    @property
    def behind(self) -> bool:
        """More happened than a turn could deal with: what was begun is to be ended before more begins."""
        return self._owed > 0

    def start(self, run: R, now: float) -> None:
        """Begins a check `now`; `look` is to follow when all have begun that begin together."""
        run.began = now
        if not self._under_way:
            self._lost.begin(now)
        run.lost = self._lost.total
        run.deadline = math.ceil((now + run.seconds) / GRID) * GRID
        self._next_deadline = min(self._next_deadline, run.deadline)
        run.target.trace.enter(_START)
        self._under_way[run] = None
        self._begun += 1
        try:
            run.coroutine = run.checker.check(run.target)
        except ESCAPES as error:  # a plugin's that is no coroutine
            self._finish(run, raised(run.checker, run.target, error))
        else:
            self._resume(run)

    def stop(self, run: R) -> None:
        """Ends a check without an outcome."""
        if run.coroutine is not None:
            self._closed(run)
            run.coroutine = None
            del self._under_way[run]

    def look(self) -> None:
        """A turn: resumes what can go on, ends what is at its deadline, and sees to it that the next turn comes."""
        for fd, happened in self._epoll.poll(0, len(self._watches) + 1):
            watch = self._watches.get(fd)
            if watch is not None:
                watch.happened |= happened
                self._ready.append(watch.run)
        if not self._owed:
            self._owed, self._owed_since = len(self._ready), self._clock.monotonic()
        # All are known before the first goes on: what it opens is not mistaken for what it closed.
        resumed = min(len(self._ready), SLICE)
        for _ in range(resumed):
            self._resume(self._ready.popleft())
        self._owed = max(0, self._owed - resumed)
        now = self._clock.monotonic()
        if not self._ready:
            self._lost.look(now)
        elif not self._owed:
            self._lost.look(self._owed_since)
        if now >= self._next_deadline:
            self._strike_overdue(now)
        self._await_next_turn(busy=resumed + self._begun >= BUSY)
        self._begun = 0

    def close(self) -> None:
        """To be called when all runs are over or stopped."""
        self._set_timer(None)
        self._set_watched(on=False)
        self._epoll.close()

    def _resume(self, run: R) -> None:
        if run.coroutine is None:
            return
        self._current = run
        try:
            awaited = run.coroutine.send(None)
        except StopIteration as end:
            outcome = answered(run.checker, end.value)
        except ESCAPES as error:
            outcome = raised(run.checker, run.target, error)
        else:
            if awaited is WAIT:
                return
            foreign = RuntimeError(f"a lean check may await nothing but checkers.net, and awaits {awaited!r}")
            outcome = self._closed(run) or raised(run.checker, run.target, foreign)
        self._finish(run, outcome)

    def _strike_overdue(self, now: float) -> None:
        for run in [run for run in self._under_way if run.deadline <= now]:
            self._strike(run)
        self._next_deadline = min((run.deadline for run in self._under_way), default=math.inf)

    def _strike(self, run: R) -> None:
        self._resume(run)  # what has come but was not its turn yet still counts
        if run.coroutine is not None:
            now = self._clock.monotonic()
            late = max(now - run.began - run.seconds, self._lost.until(now) - run.lost)
            outcome = cut_off(run.target, run.seconds, late)
            self._finish(run, self._closed(run) or outcome)

    def _closed(self, run: R) -> Outcome | None:
        """Has the check clean up; the outcome if that goes wrong."""
        try:
            if run.coroutine is not None:
                run.coroutine.close()
        except ESCAPES as error:
            return raised(run.checker, run.target, error)
        return None

    def _finish(self, run: R, outcome: Outcome) -> None:
        run.coroutine = None
        del self._under_way[run]
        object.__setattr__(outcome, "seconds", self._clock.monotonic() - run.began)  # nobody else has seen it yet
        run.began = run.deadline = math.inf  # numbers of their own for ten thousand that wait for their turn add up
        self._done(run, outcome)

    def _await_next_turn(self, *, busy: bool) -> None:
        """Under load that comes after a rest, and else as soon as something happens."""
        if not self._under_way:
            self._set_timer(None)
            return
        self._set_watched(on=not busy)
        now = self._clock.monotonic()
        if self._ready:
            self._set_timer(now)
        elif busy:
            self._set_timer(now + REST)
        else:
            self._set_timer(min(now + HEARTBEAT, self._next_deadline))

    def _set_timer(self, when: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if when is None else self._clock.call_at(when, self.look)

    def _set_watched(self, *, on: bool) -> None:
        if on is not self._watched:
            self._watched = on
            loop = asyncio.get_running_loop()
            if on:
                loop.add_reader(self._epoll.fileno(), self.look)
            else:
                loop.remove_reader(self._epoll.fileno())
