"""One alert: what it has to tell, what it is collecting, and when that becomes a message.

Rules:

1. What the receivers need not know of goes no further than the ledger.
2. What happens within `burst` seconds of a first event is collected, and then divided into messages. A full batch does
   not wait for the end.
3. When `rate` allows no message, what is collected waits until it does, and is then one message, which says so.
4. A new configuration goes for everything that is not yet delivered: mending a wrong host sends what was waiting.
5. What is collected is on disk, too, where messages that wait are.
"""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence

from healthd.alerts.batch import Batch, Subject, subject
from healthd.alerts.delivery import Delivery, Waiting
from healthd.alerts.endings import MAINTENANCE
from healthd.alerts.grouping import messages
from healthd.alerts.heart import Heart
from healthd.alerts.keeper import Keeper
from healthd.alerts.ledger import Ledger
from healthd.alerts.notices import Heartbeat, Trial
from healthd.alerts.rate import TokenBucket
from healthd.alerts.shelf import Shelf
from healthd.alerts.sink import NotSentError, Sink
from healthd.alerts.spool import Spool
from healthd.alerts.tellings import Tell, Tellings
from healthd.alerts.ticker import Ticker
from healthd.alerts.view import ChannelView, Trying
from healthd.clock import Clock, Timer
from healthd.config.values import AlertConfig
from healthd.events import Event

BATCH_LIMIT = 500
"""Events in one message."""

TICK = 5.0
"""Seconds between two looks at what is due because time has passed."""

MakeSink = Callable[[AlertConfig], Sink]


class Channel:
    def __init__(
        self,
        config: AlertConfig,
        make_sink: MakeSink,
        clock: Clock,
        *,
        host: str = "",
        tell: Tell = lambda _: None,
        spool: Spool | None = None,
    ) -> None:
        self.config = config
        self._host = host
        self._make_sink = make_sink
        self._clock = clock
        self._ledger = Ledger(config)
        self._keeper = Keeper(config.name, spool, clock)
        self._tellings = Tellings(self._ledger, self._keeper, clock, tell)
        self.delivery = Delivery(config.name, make_sink(config), clock, self._keeper, self._tellings)
        self._bucket = TokenBucket(config.rate, clock.monotonic())
        self._open: list[Event] = []
        self._stock: list[Event] = []
        """What the limit on messages holds back."""
        self._held = 0
        self._held_back = 0
        self._reminders: set[Subject] = set()
        self._numbers = itertools.count()
        self._timer: Timer | None = None
        self._ticker = Ticker(clock, self._tick)
        self._heart = Heart(config.name, clock, self._send_beat)
        self._shelf = Shelf(self._keeper, clock, self._collected, lambda: self.delivery.sink.retry_for > 0)

    def begin(self, stalled: Callable[[], str] = str) -> None:
        """The heart beats from now on, while `stalled` has nothing to say."""
        self._heart.begin(stalled, self.config.heartbeat)

    def put(self, event: Event) -> None:
        for told in self._ledger.take(event, self._clock.monotonic()):
            self._collect(told)
        if self._ledger.problems:
            self._ticker.set(TICK)
        if event.kind in MAINTENANCE:
            self._tellings.remember()

    def _collect(self, event: Event) -> None:
        self._reminders.discard(subject(event))
        self._open.append(event)
        if len(self._open) >= BATCH_LIMIT or not self.config.burst:
            self._close_batch()
            return
        if self._timer is None:
            self._call_at(self._clock.monotonic() + self.config.burst)
        self._shelf.changed()

    def missed(self, count: int) -> None:
        """`count` events, some of which may have been for this alert, never came to be routed."""
        self._tellings.lost += count

    async def restore(self) -> None:
        """Takes up what an earlier life of healthd left; to be awaited before the first `put`."""
        now = self._clock.monotonic()
        found = await self._keeper.load(monotonic=now, wall=self._clock.wall())
        self._ledger.restore(found.told, found.quiet, now)
        waiting = [Waiting(message.batch, set(message.served), message.begun) for message in found.messages]
        for message in waiting:
            self._ledger.resume(message.batch.events, message.batch.since)
        self.delivery.restore(waiting)
        if self._ledger.problems:
            self._ticker.set(TICK)

    def retire(self, servers: Mapping[str, Collection[str]]) -> None:
        """From now on `servers` are what is configured, by service."""
        for event in self._ledger.retire(servers, self._clock.wall()):
            self._collect(event)

    def reconfigure(self, config: AlertConfig) -> None:
        if config.rate != self.config.rate:
            self._bucket = TokenBucket(config.rate, self._clock.monotonic())
        self.config = config
        self._ledger.reconfigure(config, self._clock.monotonic())
        self._heart.set(config.heartbeat)
        self.delivery.sink = self._make_sink(config)
        self._close_batch()
        self.delivery.retry_now()

    def finish(self) -> None:
        """The alert is gone: what is pending is tried once more, now."""
        self._end()
        self.delivery.finish()

    def stop(self) -> None:
        """The daemon ends: what is pending is tried once more, now, or waits in the spool for the next start."""
        self._end()
        self.delivery.stop()

    def _end(self) -> None:
        self._ticker.set(None)
        self._heart.stop()
        self._bucket = TokenBucket(None, self._clock.monotonic())
        self._close_batch()

    async def finished(self) -> None:
        """Returns when nothing is under way any more."""
        while self.delivery.busy and self.delivery.task is not None:
            await asyncio.wait([self.delivery.task])
        await self._heart.stopped()
        await self._keeper.flushed()

    async def test(self) -> Trying:
        """Sends a message that says that it is a test, past everything that waits."""
        trial = Trial(at=self._clock.wall(), alert=self.config.name, host=self._host)
        try:
            answer = await self.delivery.sink.send(self._batch([trial]), set())
        except NotSentError as failure:
            return Trying(self.config.name, arrived=False, answer=str(failure))
        return Trying(self.config.name, arrived=True, answer=answer)

    @property
    def view(self) -> ChannelView:
        tellings = self._tellings
        return ChannelView(
            name=self.config.name,
            kind=self.config.kind,
            queue=self.delivery.depth + bool(self._open or self._stock),
            sent=tellings.sent,
            failed=tellings.failures,
            held_back=self._held_back,
            lost=tellings.lost,
            problems=self._ledger.open,
            last_error=tellings.last_error,
            last_error_at=tellings.last_error_at,
            last_success_at=tellings.last_success_at,
        )

    def _tick(self) -> None:
        news, reminders = self._ledger.due(self._clock.monotonic())
        if self.config.refreshes and reminders:
            self.delivery.pass_on(self._batch(reminders, reminders))
            reminders = ()
        for event in (*reminders, *news):
            self._collect(event)
        self._reminders |= {subject(event) for event in reminders}
        if not self._ledger.problems:
            self._ticker.set(None)

    async def _send_beat(self) -> None:
        at, every = self._clock.wall(), self.config.heartbeat or 0.0
        beat = Heartbeat(at=at, host=self._host, problems=self._ledger.open, every=every)
        batch = self._batch([beat])
        try:
            if not await self.delivery.sink.beat():
                self.delivery.pass_on(batch)
        except NotSentError as failure:
            self._tellings.passed_by(batch, failure)

    def _call_at(self, when: float) -> None:
        self._timer = self._clock.call_at(when, self._close_batch)

    def _close_batch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not (self._open or self._stock):
            return
        now = self._clock.monotonic()
        groups: Sequence[Sequence[Event]] = messages(self._open)
        self._open = []
        if self._stock or not self._bucket.take(len(groups), now):
            self._hold(groups)
            if not self._bucket.take(1, now):
                self._call_at(self._bucket.next_at(now))
                self._shelf.changed()
                return
            groups, self._stock = [self._stock], []
        for group in groups:
            again = [event for event in group if subject(event) in self._reminders]
            self.delivery.add(self._batch(group, again, held=self._held))
            self._held = 0
        self._reminders.clear()
        self._shelf.clear()

    def _collected(self) -> Batch:
        return self._batch([*self._stock, *self._open][-BATCH_LIMIT:], held=self._held)

    def _hold(self, groups: Sequence[Sequence[Event]]) -> None:
        self._held += len(groups)
        self._held_back += len(groups)
        self._stock += [event for group in groups for event in group]
        excess, self._stock = self._stock[:-BATCH_LIMIT], self._stock[-BATCH_LIMIT:]
        if excess:
            self._tellings.given_up(self._batch(excess), "more is held back than one message can hold")

    def _batch(self, events: Sequence[Event], reminders: Sequence[Event] = (), *, held: int = 0) -> Batch:
        return Batch(
            id=f"{next(self._numbers):08x}{uuid.uuid4().hex[:24]}",  # in the order of their making
            alert=self.config.name,
            events=tuple(events),
            ready=self._clock.monotonic(),
            at=self._clock.wall(),
            held=held,
            since=self._ledger.since(events),
            reminders=frozenset(map(subject, reminders)),
        )
