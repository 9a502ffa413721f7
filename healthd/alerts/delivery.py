"""The messages of one alert on their way: what waits, and the one task that sends.

Rules:

1. Messages are sent one after the other, in order. The task lives only while there is something to send.
2. What waits is in the spool too, until it has arrived or is given up.
3. What cannot be delivered, or is dropped because too much waits, is told, counted, and said in the next message.
4. Where a sink allows no second try after one whose end is not known, the spool says that a try has begun before it
   does, and a message of which an earlier life has left that is given up.
5. A passing message, such as a heartbeat, is worth one try while nothing else waits: the next is as good.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field, replace

from healthd.alerts.batch import Batch
from healthd.alerts.keeper import Keeper
from healthd.alerts.sink import NotSentError, Sink
from healthd.alerts.tellings import Tellings
from healthd.alerts.wording import headline
from healthd.clock import Clock

log = logging.getLogger(__name__)

QUEUE_LIMIT = 10_000
"""Events that wait for a slow sink; beyond it the oldest messages are dropped."""

FEW = 50
"""Events that are put into words at once."""

FIRST_RETRY = 5.0
LAST_RETRY = 300.0
LONGEST_PATIENCE = 900.0
"""Seconds for which a receiver may ask to be left alone."""


@dataclass(slots=True)
class Waiting:
    """`begun` is whether a try is under way, or was when healthd was killed, that must not be made twice."""

    batch: Batch
    served: set[str] = field(default_factory=set)
    begun: bool = False


class Delivery:
    def __init__(self, name: str, sink: Sink, clock: Clock, keeper: Keeper, tellings: Tellings) -> None:
        self.sink = sink
        self.task: asyncio.Task[None] | None = None
        self._name = name
        self._clock = clock
        self._keeper = keeper
        self._tellings = tellings
        self._queue: deque[Waiting] = deque()
        self._passing: Batch | None = None
        self._current: Waiting | None = None
        self._heading = ""
        self._hurry = asyncio.Event()
        self._finishing = False
        self._stopping = False

    @property
    def depth(self) -> int:
        """Messages that have not arrived."""
        return len(self._queue) + (self._current is not None)

    @property
    def busy(self) -> bool:
        return self.task is not None and not self.task.done()

    def add(self, batch: Batch) -> None:
        waiting = Waiting(batch)
        self._queue.append(waiting)
        self.wake()  # before it is kept: what is written of a message that is tried at once is that its try has begun
        if self.sink.retry_for:
            self._keeper.keep(batch, waiting.served)
        self._drop_excess()

    def pass_on(self, batch: Batch) -> None:
        self._passing = batch
        self.wake()

    def restore(self, found: list[Waiting]) -> None:
        """What an earlier life of healthd left, oldest first, goes before everything newer."""
        for waiting in reversed(found):
            if waiting.begun:
                self._give_up(waiting, "healthd ended while it was tried, which may have done half of its work")
            elif waiting.batch.ready + self.sink.retry_for < self._clock.monotonic():
                self._give_up(waiting, "too old when healthd started again")
            else:
                self._queue.appendleft(waiting)
        self.wake()

    def retry_now(self) -> None:
        self._hurry.set()

    def finish(self) -> None:
        """Nothing more will come: what waits is tried once more, now, and `task` ends with it."""
        self._finishing = True
        self._hurry.set()

    def stop(self) -> None:
        """The same, but what is in the spool waits there for the next start."""
        self._stopping = True
        self.finish()

    def abandon(self) -> None:
        """Ends at once, saying what is lost."""
        if self.task is None or not self.busy:
            return
        self.task.cancel()
        for waiting in filter(None, (self._current, *self._queue)):
            text = f"alert {self._name}: stopped before it could be sent"
            if self._keeper.holds(waiting.batch) and not waiting.begun:
                log.warning("%s, kept for the next start: %s", text, headline(waiting.batch))
            else:
                log.error("%s, lost: %s", text, headline(waiting.batch))
        self._queue.clear()

    def wake(self) -> None:
        if (self._queue or self._passing) and not self.busy:
            self.task = asyncio.create_task(self._deliver_all(), name=f"alert {self._name}")
            self.task.add_done_callback(self._ended)

    def _drop_excess(self) -> None:
        waiting = sum(len(each.batch.events) for each in self._queue)
        while waiting > QUEUE_LIMIT:
            dropped = self._queue.popleft()
            waiting -= len(dropped.batch.events)
            self._give_up(dropped, "too much is waiting, and this was the oldest")

    def _ended(self, task: asyncio.Task[None]) -> None:
        # A fault in a sink must not end the daemon, nor this alert: it is logged, and the next message has its turn.
        if task.cancelled():
            return
        if error := task.exception():
            log.error("alert %s: a fault in healthd, message lost", self._name, exc_info=error)
            if self._current is not None:
                self._give_up(self._current, "a fault in healthd")
        self._current = None
        self.wake()

    async def _deliver_all(self) -> None:
        while self._queue:
            waiting = self._queue.popleft()
            events = self._tellings.admit(waiting.batch.events)
            if events:
                waiting.batch = replace(waiting.batch, events=events, lost=self._tellings.lost)
                self._current = waiting
                self._heading = await _headline(waiting.batch)
                await self._deliver(waiting)
                self._current = None
            else:
                self._keeper.forget(waiting.batch)
        if self._passing is not None:
            await self._try_passing()

    async def _try_passing(self) -> None:
        batch, self._passing = self._passing, None
        if batch is None:
            return
        try:
            answer = await self.sink.send(batch, set())
        except NotSentError as failure:
            self._tellings.passed_by(batch, failure)
        else:
            self._tellings.passed(batch, answer)

    async def _deliver(self, waiting: Waiting) -> None:
        delay = FIRST_RETRY
        while True:
            self._hurry.clear()
            failure = await self._try(waiting)
            if failure is None:
                return
            left = waiting.batch.ready + self.sink.retry_for - self._clock.monotonic()
            if not failure.final and left > 0 and self._stopping and await self._is_safe(waiting):
                log.warning("alert %s: %s; kept for the next start: %s", self._name, failure, headline(waiting.batch))
                return
            if failure.final or left <= 0 or self._finishing:
                self._give_up(waiting, str(failure))
                return
            pause = min(max(delay, min(failure.retry_after, LONGEST_PATIENCE)), left)
            log.warning("alert %s: %s; next try in %g s", self._name, failure, round(pause, 1))
            self._tellings.failed(str(failure))
            await self._pause(pause)
            delay = min(2 * delay, LAST_RETRY)

    async def _try(self, waiting: Waiting) -> NotSentError | None:
        already = len(waiting.served)
        if self.sink.at_most_once and self.sink.retry_for:
            waiting.begun = True
            await self._keeper.begin(waiting.batch, waiting.served)
        try:
            answer = await self.sink.send(waiting.batch, waiting.served)
        except NotSentError as failure:
            if not failure.final and (waiting.begun or len(waiting.served) > already):
                waiting.begun = False
                self._keeper.keep(waiting.batch, waiting.served)
            return failure
        self._keeper.forget(waiting.batch)
        self._tellings.delivered(waiting.batch, self._heading, answer)
        return None

    async def _is_safe(self, waiting: Waiting) -> bool:
        await self._keeper.flushed()
        return self._keeper.holds(waiting.batch)

    def _give_up(self, waiting: Waiting, reason: str) -> None:
        self._keeper.forget(waiting.batch)
        self._tellings.given_up(waiting.batch, reason)

    async def _pause(self, seconds: float) -> None:
        timer = self._clock.call_at(self._clock.monotonic() + seconds, self._hurry.set)
        try:
            await self._hurry.wait()
        finally:
            timer.cancel()


async def _headline(batch: Batch) -> str:
    """Of hundreds of events that takes milliseconds, in which no check would be looked at: so in a thread."""
    return headline(batch) if len(batch.events) <= FEW else await asyncio.to_thread(headline, batch)
