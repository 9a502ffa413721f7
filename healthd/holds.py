"""What operators have set for servers: put into the table by the controller, told, and ended when its time is over."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from healthd.acting import ITSELF, Changed, left_of, over
from healthd.clock import Clock
from healthd.controller import Controller
from healthd.drains import Drain, Drains
from healthd.edits import Edit
from healthd.events import Bus
from healthd.ipvs import Ipvs
from healthd.model import Endpoint
from healthd.orders import Done, Order
from healthd.overrides import Admin, Override
from healthd.reconcile import Reconciler
from healthd.selecting import Key
from healthd.terms import Terms

NOT_YET = "; the table is frozen, and edited when it is thawed"

Overrides = Mapping[Key, Override | None]


class Holds:
    """Here alone overrides are set while the daemon runs."""

    def __init__(self, clock: Clock, bus: Bus, controller: Controller, reconciler: Reconciler, ipvs: Ipvs) -> None:
        self._clock = clock
        self._bus = bus
        self._controller = controller
        self._reconciler = reconciler
        self._terms: Terms[Key] = Terms(clock, self._end)
        self._drains = Drains(clock, ipvs, lambda: reconciler.actual, self._tell_drained)

    async def run(self) -> None:
        """Watches what is drained, for ever."""
        await self._drains.run()

    def set(self, overrides: Overrides, order: Order) -> Done:
        """Sets them all, one change for each service."""
        now = self._clock.wall()
        texts: list[str] = []
        commands: list[str] = []
        held_back = NOT_YET if self._reconciler.frozen else ""
        for change in self._carried_out(overrides):
            self._follow(change)
            text = change.unchanged
            for event in change.told(order, now):
                self._bus.publish(event)
                text = event.text() + (held_back if change.edits else "")
            texts.append(text)
            commands += map(str, change.edits)
        return Done(tuple(texts), tuple(overrides), tuple(commands))

    def _carried_out(self, overrides: Overrides) -> Iterable[Changed]:
        """The changes; what follows for a service as a whole, such as its fallback, is with its first server."""
        before = self._controller.overrides
        for name, servers in by_service(overrides).items():
            wanted = {endpoint: overrides[name, endpoint] for endpoint in servers}
            todo = self._controller.override_all(name, wanted)
            own: dict[Endpoint, list[Edit]] = {endpoint: [] for endpoint in servers}
            for edit in todo:
                endpoint = getattr(edit, "endpoint", None)
                own[endpoint if endpoint in own else servers[0]].append(edit)
            for endpoint, new in wanted.items():
                drain = self._drains.of((name, endpoint))
                connections = drain.connections if drain else None
                old = before.get((name, endpoint))
                yield Changed(name, endpoint, old, new, tuple(own[endpoint]), connections)

    def _follow(self, change: Changed) -> None:
        """Its time, and the watch over its connections; a weight that was set on top of it disturbs neither."""
        old, new = change.old or Override(), change.new or Override()
        if replace(old, weight=None) == replace(new, weight=None):
            return
        key = (change.service, change.server)
        self._terms.set(key, None if new.until is None else new.until - self._clock.wall())
        if _draining(new):
            self._drains.begin(key, self._controller.services[change.service].config.key)
        else:
            self._drains.end(key)

    def refresh(self, drained: Collection[Key] = ()) -> None:
        """Goes on from the overrides that the controller has, after the start or a reload.

        One whose time was over meanwhile ends at once. `drained` servers are those of which it was told already that
        nobody is connected to them.
        """
        overrides = self._controller.overrides
        self._terms.keep(overrides)
        self._drains.keep(overrides)
        late = []
        for key, override in overrides.items():
            left = left_of(override, self._clock.wall())
            if left is not None and self._terms.left(key) is None:
                self._terms.set(key, left)
                late += [] if left else [key]
            service = self._controller.services[key[0]].config.key
            drain = self._drains.of(key)
            if _draining(override) and (drain is None or drain.service != service):
                self._drains.begin(key, service, done=key in drained)
        self._end(late)

    def _end(self, keys: Collection[Key]) -> None:
        becomes = over(self._clock.wall())
        known = self._controller.overrides
        self.set({key: becomes(known[key]) for key in keys if key in known}, ITSELF)

    def _tell_drained(self, keys: Iterable[Key]) -> None:
        overrides = self._controller.overrides
        for name, servers in by_service(keys).items():
            endless = {endpoint: replace(overrides[name, endpoint], until=None) for endpoint in servers}
            self._controller.override_all(name, endless)  # nobody is left to be cut off
            for endpoint, override in endless.items():
                self._terms.set((name, endpoint), None)
                drain = self._drains.of((name, endpoint))
                connections = drain.connections if drain else None
                change = Changed(name, endpoint, override, override, (), connections)
                self._bus.publish(change.drained(self._clock.wall()))

    def drain_of(self, key: Key) -> Drain | None:
        return self._drains.of(key)

    @property
    def drained(self) -> frozenset[Key]:
        return self._drains.done

    def dated(self, key: Key, override: Override) -> Override:
        """The override with `until` as the clock on the wall has it now."""
        left = self._terms.left(key)
        return override if left is None else replace(override, until=self._clock.wall() + left)


def by_service(keys: Iterable[Key]) -> dict[str, list[Endpoint]]:
    found: dict[str, list[Endpoint]] = {}
    for name, endpoint in keys:
        found.setdefault(name, []).append(endpoint)
    return found


def _draining(override: Override) -> bool:
    return override.admin is Admin.DRAIN and not override.cut
