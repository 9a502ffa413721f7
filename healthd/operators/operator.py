"""What operators can do: each order is carried out as a whole or not at all, and told either way.

What they set survives a restart, is shown until it ends, and ends by itself where a time was given. `run` watches
over that. An order on thousands of servers is carried out in slices, between which checks go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from healthd import events
from healthd.clock import Clock
from healthd.controller import Controller
from healthd.events import Bus
from healthd.ipvs import Ipvs
from healthd.model import Endpoint
from healthd.operators.acting import Becomes, held, readied, weighted
from healthd.operators.drains import Drain
from healthd.operators.freezing import Freezer
from healthd.operators.holds import Holds
from healthd.operators.judging import Selector, by_service, chosen, judge
from healthd.operators.orders import LONGEST_SELECTOR, Done, Order, Refused, check_time, check_weight
from healthd.operators.preview import Preview
from healthd.operators.selecting import Key
from healthd.overrides import Admin, Freeze, Override, SetWeight
from healthd.plan import JobId, job_id
from healthd.printable import one_line
from healthd.reconcile import Reconciler

__all__ = ["Done", "Means", "Operator", "Order", "Preview", "Refused"]

LONGEST_LIST = 100
"""Selectors that the audit trail has of one order that was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What orders are carried out with."""

    clock: Clock
    bus: Bus
    controller: Controller
    reconciler: Reconciler
    ipvs: Ipvs
    check_now: Callable[[Collection[JobId]], None]
    reload: Callable[[], None]
    preview: Callable[[Path | None], Awaitable[Preview]]
    test_alerts: Callable[[str | None], Awaitable[Sequence[tuple[str, bool]]]]
    """The alert of this name, or all; what came of it in words, and whether it arrived. Raises KeyError for another."""


class Operator:
    def __init__(self, means: Means) -> None:
        self._means = means
        self._clock = means.clock
        self._controller = means.controller
        self._turn = asyncio.Lock()
        self._holds = Holds(means.clock, means.bus, means.controller, means.reconciler, means.ipvs)
        self._freezer = Freezer(means.clock, means.bus, means.controller, means.reconciler)

    async def run(self) -> None:
        """Watches what is drained, and ends what is over, for ever."""
        await self._holds.run()

    async def drain(self, selector: Selector, order: Order, *, limit: float | None) -> Done:
        """No new connections; after `limit` seconds what is still connected is cut off.

        Raises:
            Refused: as every order may be.

        """
        async with self._audited("drain", order, selector) as given:
            check_time("limit", limit)
            return await self._set(selector, given, held(Admin.DRAIN, given, self._clock.wall(), limit))

    async def maintain(self, selector: Selector, order: Order, *, ttl: float | None) -> Done:
        """As if it were down, and nobody is alarmed; after `ttl` seconds it comes back through its checks."""
        async with self._audited("maintenance", order, selector) as given:
            check_time("ttl", ttl)
            return await self._set(selector, given, held(Admin.MAINTENANCE, given, self._clock.wall(), ttl))

    async def ready(self, selector: Selector, order: Order) -> Done:
        """Ends what `drain` and `maintain` began; a weight that was set stays."""
        async with self._audited("ready", order, selector) as given:
            return await self._set(selector, given, readied)

    async def set_weight(self, selector: Selector, order: Order, weight: SetWeight | None) -> Done:
        """In place of the configured one, which None and 100% bring back."""
        async with self._audited("weight", order, selector) as given:
            check_weight(weight)
            meant = None if weight == SetWeight(100, percent=True) else weight
            return await self._set(selector, given, weighted(meant, given, self._clock.wall()))

    async def freeze(self, order: Order, *, ttl: float | None) -> Done:
        """The table is looked at and not edited, for `ttl` seconds."""
        async with self._audited("freeze", order) as given:
            check_time("ttl", ttl)
            return self._freezer.freeze(given, ttl)

    async def thaw(self, order: Order) -> Done:
        async with self._audited("thaw", order) as given:
            return self._freezer.thaw(given)

    async def check_now(self, selector: Selector, order: Order) -> Done:
        """The checks of these servers start at once."""
        async with self._audited("check-now", order, selector) as given:
            keys = await chosen(selector, self._controller)
            ids = self._jobs(keys)
            if not ids:
                raise Refused("invalid", "none of these servers has a check")
            self._means.check_now(ids)
            texts = [self._told_asked(name, servers, given) for name, servers in by_service(keys).items()]
            return Done(tuple(texts), tuple(keys))

    async def reload(self, order: Order) -> Done:
        """How it went is an event, `reloaded` or `reload_failed`."""
        async with self._audited("reload", order) as given:
            self._means.reload()
            asked = events.ReloadAsked(at=self._clock.wall(), who=given.who, reason=given.reason)
            self._means.bus.publish(asked)
            return Done((asked.text(),))

    async def test_alert(self, name: str | None, order: Order) -> Done:
        """Sends a test message through the alert of this name, or through all."""
        async with self._audited("alert-test", order, name or ()) as given:
            try:
                results = await self._means.test_alerts(name)
            except KeyError:
                raise Refused("not_found", f"there is no alert {one_line(name or '', LONGEST_SELECTOR)}") from None
            texts = tuple(text for text, _ in results)
            tested = events.AlertTested(at=self._clock.wall(), who=given.who, reason=given.reason, results=texts)
            self._means.bus.publish(tested)
            return Done(
                tuple(text for text, arrived in results if arrived),
                failed=tuple(text for text, arrived in results if not arrived),
            )

    async def plan(self, path: Path | None) -> Preview:
        """What the configuration at `path` would do, or with None the one in use as it now is on the disk."""
        return await self._means.preview(path)

    def drain_of(self, service: str, server: Endpoint) -> Drain | None:
        """How far the drain of a server is; None if it is not drained, or was cut."""
        return self._holds.drain_of((service, server))

    @property
    def drained(self) -> frozenset[Key]:
        """Drained servers that nobody is connected to any more."""
        return self._holds.drained

    def dated(self, key: Key, override: Override) -> Override:
        """As it has to be remembered for the next run: `until` as the clock on the wall has it now."""
        return self._holds.dated(key, override)

    @property
    def frozen(self) -> Freeze | None:
        """What has to be remembered of it, likewise."""
        return self._freezer.kept

    def restore(self, frozen: Freeze | None, drained: Collection[Key]) -> None:
        """Goes on from an earlier run, whose overrides the controller has."""
        if frozen is not None:
            self._freezer.restore(frozen)
        self._holds.refresh(drained)

    def reloaded(self) -> None:
        """Servers may be gone, and services may have moved."""
        self._holds.refresh()

    @asynccontextmanager
    async def _audited(self, act: str, order: Order, selector: Selector = ()) -> AsyncIterator[Order]:
        """A refusal is an event too."""
        given = order.printable
        try:
            yield given
        except Refused as refused:
            named = (selector,) if isinstance(selector, str) else tuple(selector[:LONGEST_LIST])
            selectors = tuple(one_line(name, LONGEST_SELECTOR) for name in named)
            self._means.bus.publish(
                events.ActRefused(
                    at=self._clock.wall(),
                    who=given.who,
                    reason=given.reason,
                    act=act,
                    selectors=selectors,
                    messages=refused.messages,
                )
            )
            raise

    async def _set(self, selector: Selector, order: Order, becomes: Becomes) -> Done:
        """One order after the other, as they come: what the one is judged by is what the last one has left."""
        async with self._turn:
            keys = await chosen(selector, self._controller)
            if not order.force:
                await judge(keys, becomes, self._controller)
            return await self._holds.set(keys, becomes, order)

    def _jobs(self, keys: list[Key]) -> list[JobId]:
        services = self._controller.services
        return [
            job_id(services[name].config, server, check.config)
            for name, server in keys
            if name in services and server in services[name].servers  # a reload may have come in between
            for check in services[name].servers[server].checks
        ]

    def _told_asked(self, service: str, servers: Sequence[Endpoint], order: Order) -> str:
        asked = events.CheckAsked(
            at=self._clock.wall(),
            service=service,
            who=order.who,
            reason=order.reason,
            servers=tuple(map(str, servers)),
        )
        self._means.bus.publish(asked)
        return asked.text()
