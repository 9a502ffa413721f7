"""What operators can do: each order is carried out as a whole or not at all, and told either way.

What they set survives a restart, is shown until it ends, and ends by itself where a time was given. Nothing here
waits, apart from `plan`; `run` watches what is drained.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from healthd import events
from healthd.acting import Becomes, held, readied, shortfall, weighted
from healthd.clock import Clock
from healthd.controller import Controller
from healthd.drains import Drain
from healthd.events import Bus
from healthd.freezing import Freezer
from healthd.holds import Holds, by_service
from healthd.ipvs import Ipvs
from healthd.model import Endpoint
from healthd.orders import LONGEST_SELECTOR, Done, Order, Refused, check_time, check_weight, listed
from healthd.overrides import Admin, Freeze, Override, SetWeight
from healthd.plan import JobId, job_id
from healthd.preview import Preview
from healthd.printable import one_line
from healthd.reconcile import Reconciler
from healthd.selecting import Key, no_match, selected

__all__ = ["Done", "Means", "Operator", "Order", "Preview", "Refused"]

Selector = str | Sequence[str]

LONGEST_LIST = 100
"""Selectors that the audit trail has of one order that was refused."""
MOST_TOLD = 2
"""Selectors that match nothing, of which near names are told: to look for them takes a while."""


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


class Operator:
    def __init__(self, means: Means) -> None:
        self._means = means
        self._clock = means.clock
        self._services = means.controller
        self._holds = Holds(means.clock, means.bus, means.controller, means.reconciler, means.ipvs)
        self._freezer = Freezer(means.clock, means.bus, means.controller, means.reconciler)

    async def run(self) -> None:
        """Watches what is drained, for ever."""
        await self._holds.run()

    def drain(self, selector: Selector, order: Order, *, limit: float | None) -> Done:
        """No new connections; after `limit` seconds what is still connected is cut off.

        Raises:
            Refused: as every order may be.

        """
        with self._audited("drain", order, selector) as given:
            check_time("limit", limit)
            return self._set(selector, given, held(Admin.DRAIN, given, self._clock.wall(), limit))

    def maintain(self, selector: Selector, order: Order, *, ttl: float | None) -> Done:
        """As if it were down, and nobody is alarmed; after `ttl` seconds it comes back through its checks."""
        with self._audited("maintenance", order, selector) as given:
            check_time("ttl", ttl)
            return self._set(selector, given, held(Admin.MAINTENANCE, given, self._clock.wall(), ttl))

    def ready(self, selector: Selector, order: Order) -> Done:
        """Ends what `drain` and `maintain` began; a weight that was set stays."""
        with self._audited("ready", order, selector) as given:
            return self._set(selector, given, readied(given, self._clock.wall()))

    def set_weight(self, selector: Selector, order: Order, weight: SetWeight | None) -> Done:
        """In place of the configured one, which None and 100% bring back."""
        with self._audited("weight", order, selector) as given:
            check_weight(weight)
            meant = None if weight == SetWeight(100, percent=True) else weight
            return self._set(selector, given, weighted(meant, given, self._clock.wall()))

    def freeze(self, order: Order, *, ttl: float | None) -> Done:
        """The table is looked at and not edited, for `ttl` seconds."""
        with self._audited("freeze", order) as given:
            check_time("ttl", ttl)
            return self._freezer.freeze(given, ttl)

    def thaw(self, order: Order) -> Done:
        with self._audited("thaw", order) as given:
            return self._freezer.thaw(given)

    def check_now(self, selector: Selector, order: Order) -> Done:
        """The checks of these servers start at once."""
        with self._audited("check-now", order, selector) as given:
            keys = self._selected(selector)
            ids = self._jobs(keys)
            if not ids:
                raise Refused("invalid", "none of these servers has a check")
            self._means.check_now(ids)
            texts = [self._told_asked(name, servers, given) for name, servers in by_service(keys).items()]
            return Done(tuple(texts), tuple(keys))

    def reload(self, order: Order) -> Done:
        """How it went is an event, `reloaded` or `reload_failed`."""
        with self._audited("reload", order) as given:
            self._means.reload()
            asked = events.ReloadAsked(at=self._clock.wall(), who=given.who, reason=given.reason)
            self._means.bus.publish(asked)
            return Done((asked.text(),))

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

    @contextmanager
    def _audited(self, act: str, order: Order, selector: Selector = ()) -> Iterator[Order]:
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

    def _selected(self, selector: Selector) -> list[Key]:
        """All that any of the selectors means, each server once.

        Raises:
            Refused: one of them means nothing.

        """
        servers = {name: service.servers for name, service in self._services.services.items()}
        found: dict[Key, None] = {}
        missing = []
        for each in listed(selector):
            some = selected(each, servers)
            found |= dict.fromkeys(some)
            missing += [] if some else [each]
        if missing:
            told = [no_match(each, servers) for each in missing[:MOST_TOLD]]
            rest = [f"and {len(missing) - MOST_TOLD} more match nothing"] if len(missing) > MOST_TOLD else []
            raise Refused("not_found", *told, *rest)
        return list(found)

    def _set(self, selector: Selector, order: Order, becomes: Becomes) -> Done:
        keys = self._selected(selector)
        before = self._services.overrides
        wanted = {key: becomes(before.get(key)) for key in keys}
        if not order.force:
            self._judge(wanted)
        return self._holds.set(wanted, order)

    def _judge(self, wanted: dict[Key, Override | None]) -> None:
        """The result of the whole counts, for each service.

        Raises:
            Refused: a service would be left with too few.

        """
        services, available = self._services.services, self._services.available
        short = [
            shortfall(services[name], available(name), {server: wanted[name, server] for server in servers})
            for name, servers in by_service(wanted).items()
        ]
        if any(short):
            raise Refused("conflict", *filter(None, short))

    def _jobs(self, keys: list[Key]) -> list[JobId]:
        services = self._services.services
        return [
            job_id(services[name].config, server, check.config)
            for name, server in keys
            for check in services[name].servers[server].checks.values()
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
