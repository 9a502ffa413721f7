"""One alert: what it is collecting, what waits to be sent, and the one task that sends.

Rules:

1. What happens within `burst` seconds of a first event is one batch. A full batch does not wait for the end.
2. Batches are sent one after the other, in order. The task lives only while there is something to send.
3. What cannot be delivered, or is dropped because too much waits, is logged, counted, and told in the next message.
4. A new configuration goes for everything that is not yet delivered: mending a wrong host sends what was waiting.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from healthd.alerts.batch import Batch
from healthd.alerts.sink import NotSentError, Sink
from healthd.alerts.wording import headline
from healthd.clock import Clock, Timer
from healthd.config.values import AlertConfig
from healthd.events import Event

log = logging.getLogger(__name__)

BATCH_LIMIT = 1000
"""Events in one message."""

QUEUE_LIMIT = 10_000
"""Events that wait for a slow sink; beyond it the oldest messages are dropped."""

FIRST_RETRY = 5.0
LAST_RETRY = 300.0

MakeSink = Callable[[AlertConfig], Sink]


class Channel:
    def __init__(self, config: AlertConfig, make_sink: MakeSink, clock: Clock) -> None:
        self.config = config
        self.task: asyncio.Task[None] | None = None
        self._make_sink = make_sink
        self._sink = make_sink(config)
        self._clock = clock
        self._open: list[Event] = []
        self._timer: Timer | None = None
        self._queue: deque[Batch] = deque()
        self._current: Batch | None = None
        self._lost = 0
        self._hurry = asyncio.Event()
        self._finishing = False

    def put(self, event: Event) -> None:
        self._open.append(event)
        if len(self._open) >= BATCH_LIMIT or not self.config.burst:
            self._close_batch()
        elif self._timer is None:
            self._timer = self._clock.call_at(self._clock.monotonic() + self.config.burst, self._close_batch)

    def missed(self, count: int) -> None:
        """`count` events, some of which may have been for this alert, never came to be routed."""
        self._lost += count

    def reconfigure(self, config: AlertConfig) -> None:
        self.config = config
        self._sink = self._make_sink(config)
        self._close_batch()
        self._hurry.set()

    def finish(self) -> None:
        """Nothing more will come: what is pending is tried once more, now, and `task` ends with it."""
        self._finishing = True
        self._close_batch()
        self._hurry.set()

    def abandon(self) -> None:
        """Ends at once, saying what is lost."""
        if self.task is None or self.task.done():
            return
        self.task.cancel()
        for batch in filter(None, (self._current, *self._queue)):
            log.error("alert %s: stopped before it could be sent, lost: %s", batch.alert, headline(batch))
        self._queue.clear()

    def _close_batch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._open:
            return
        events, self._open = tuple(self._open), []
        ready, at = self._clock.monotonic(), self._clock.wall()
        self._queue.append(Batch(id=uuid.uuid4().hex, alert=self.config.name, events=events, ready=ready, at=at))
        self._drop_excess()
        self._wake()

    def _drop_excess(self) -> None:
        waiting = sum(len(batch.events) for batch in self._queue)
        while waiting > QUEUE_LIMIT:
            dropped = self._queue.popleft()
            waiting -= len(dropped.events)
            self._lost += len(dropped.events)
            log.error("alert %s: too much is waiting, dropped the oldest: %s", self.config.name, headline(dropped))

    def _wake(self) -> None:
        if self._queue and (self.task is None or self.task.done()):
            self.task = asyncio.create_task(self._deliver_all(), name=f"alert {self.config.name}")
            self.task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        # A fault in a sink must not end the daemon, nor this alert: it is logged, and the next message has its turn.
        if task.cancelled():
            return
        if error := task.exception():
            log.error("alert %s: a fault in healthd, message lost", self.config.name, exc_info=error)
        self._wake()

    async def _deliver_all(self) -> None:
        while self._queue:
            batch = replace(self._queue.popleft(), lost=self._lost)
            # Counted as lost until it is known to have arrived, so that no way out of here forgets it.
            self._lost += len(batch.events)
            self._current = batch
            if await self._deliver(batch):
                self._lost -= len(batch.events) + batch.lost
            self._current = None

    async def _deliver(self, batch: Batch) -> bool:
        served: set[str] = set()
        delay = FIRST_RETRY
        while True:
            self._hurry.clear()
            failure = await self._try(batch, served)
            if failure is None:
                return True
            name = self.config.name
            left = batch.ready + self._sink.retry_for - self._clock.monotonic()
            if failure.final or left <= 0 or self._finishing:
                log.error("alert %s: %s; not tried again, lost: %s", name, failure, headline(batch))
                return False
            pause = min(delay, left)
            log.warning("alert %s: %s; next try in %g s", name, failure, round(pause, 1))
            await self._pause(pause)
            delay = min(2 * delay, LAST_RETRY)

    async def _try(self, batch: Batch, served: set[str]) -> NotSentError | None:
        try:
            await self._sink.send(batch, served)
        except NotSentError as failure:
            return failure
        return None

    async def _pause(self, seconds: float) -> None:
        timer = self._clock.call_at(self._clock.monotonic() + seconds, self._hurry.set)
        try:
            await self._hurry.wait()
        finally:
            timer.cancel()
