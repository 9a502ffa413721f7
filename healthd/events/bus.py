"""The fan-out: bounded, and it never holds up the one who tells."""

from __future__ import annotations

import asyncio
from collections import deque

from healthd.events.event import Event


class Subscription:
    """A bounded queue of events. When its reader falls behind, the oldest are dropped and counted."""

    def __init__(self, limit: int) -> None:
        self._events: deque[Event] = deque(maxlen=limit)
        self._arrived = asyncio.Event()
        self.dropped = 0

    def put(self, event: Event) -> None:
        if len(self._events) == self._events.maxlen:
            self.dropped += 1
        self._events.append(event)
        self._arrived.set()

    def get_nowait(self) -> Event | None:
        return self._events.popleft() if self._events else None

    async def get(self) -> Event:
        while not self._events:
            self._arrived.clear()
            await self._arrived.wait()
        return self._events.popleft()


class Bus:
    """Hands every event to every subscription, at once and without waiting for anyone."""

    def __init__(self) -> None:
        self._subscriptions: list[Subscription] = []

    def subscribe(self, limit: int = 10_000) -> Subscription:
        subscription = Subscription(limit)
        self._subscriptions.append(subscription)
        return subscription

    def publish(self, event: Event) -> None:
        for subscription in self._subscriptions:
            subscription.put(event)
