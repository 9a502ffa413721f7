"""What operators have set for servers: put into the table by the controller, told, and ended when its time is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from healthd.clock import Clock
from healthd.controller import Controller
from healthd.edits import Edit
from healthd.events import Bus
from healthd.ipvs import Ipvs
from healthd.model import Endpoint
from healthd.operators.acting import ITSELF, Becomes, Changed, left_of, over
from healthd.operators.drains import Drain, Drains
from healthd.operators.judging import by_service
from healthd.operators.orders import Done, Order
from healthd.operators.selecting import Key
from healthd.operators.slices import SLICE, Slices
from healthd.operators.terms import Terms
from healthd.overrides import Admin, Override
from healthd.reconcile import Reconciler
from healthd.state import ServerRecord

NOT_YET = "; the table is frozen, and edited when it is thawed"


class Holds:
    """Here alone overrides are set while the daemon runs."""

    def __init__(self, clock: Clock, bus: Bus, controller: Controller, reconciler: Reconciler, ipvs: Ipvs) -> None:
        self._clock = clock
        self._bus = bus
        self._controller = controller
        self._reconciler = reconciler
        self._terms: Terms[Key] = Terms(clock, self._end)
        self._drains = Drains(clock, ipvs, lambda: reconciler.actual, self._tell_drained)
        self._over: dict[Key, None] = {}
        self._is_over = asyncio.Event()

    async def run(self) -> None:
        """Watches what is drained, and ends what is over, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._drains.run())
            group.create_task(self._end_what_is_over())

    async def set(self, keys: Iterable[Key], becomes: Becomes, order: Order) -> Done:
        """Sets them all, each to what becomes of the one that it has when its turn has come."""
        done = [self._set(name, part, becomes, order) async for name, part in self._parts(keys)]
        return Done(
            tuple(chain.from_iterable(each.texts for each in done)),
            tuple(chain.from_iterable(each.servers for each in done)),
            tuple(chain.from_iterable(each.edits for each in done)),
        )

    async def _parts(self, keys: Iterable[Key]) -> AsyncIterator[tuple[str, Sequence[Endpoint]]]:
        """Servers of one service that are to be changed at once, with pauses in which everybody else has a turn.

        To change the service as a whole means to look at all of its servers. So few of them are one change, and of
        many each is one, which mostly looks at no other; where nobody is available it has to, and some go together.
        """
        slices = Slices()
        for name, endpoints in by_service(keys).items():
            for start in range(0, len(endpoints), SLICE):
                some = endpoints[start : start + SLICE]
                if len(endpoints) > SLICE and name in self._controller.services and self._controller.available(name):
                    for each in some:
                        yield name, (each,)
                else:
                    yield name, some
                await slices.after(len(some))

    def _set(self, name: str, endpoints: Sequence[Endpoint], becomes: Becomes, order: Order) -> Done:
        now = self._clock.wall()
        known = self._servers(name)
        wanted = {each: becomes(known[each].override) for each in endpoints if each in known}
        texts = [f"{name}: server {each} is no longer configured" for each in endpoints if each not in known]
        commands: list[str] = []
        held_back = NOT_YET if self._reconciler.frozen else ""
        for change in self._carried_out(name, wanted):
            self._follow(change)
            text = change.unchanged
            for event in change.told(order, now):
                self._bus.publish(event)
                text = event.text() + (held_back if change.edits else "")
            texts.append(text)
            commands += map(str, change.edits)
        return Done(tuple(texts), tuple((name, each) for each in wanted), tuple(commands))

    def _servers(self, name: str) -> Mapping[Endpoint, ServerRecord]:
        """None of them where a reload has come in between and the service is no more."""
        service = self._controller.services.get(name)
        return service.servers if service is not None else {}

    def _carried_out(self, name: str, wanted: Mapping[Endpoint, Override | None]) -> Iterator[Changed]:
        """The changes; what follows for a service as a whole, such as its fallback, is with its first server."""
        if not wanted:
            return
        servers, first = self._servers(name), next(iter(wanted))
        before = {endpoint: servers[endpoint].override for endpoint in wanted}
        own: dict[Endpoint, list[Edit]] = {endpoint: [] for endpoint in wanted}
        for edit in self._controller.override_all(name, wanted):
            endpoint = getattr(edit, "endpoint", None)
            own[endpoint if endpoint in own else first].append(edit)
        for endpoint, new in wanted.items():
            drain = self._drains.of((name, endpoint))
            connections = drain.connections if drain else None
            yield Changed(name, endpoint, before[endpoint], new, tuple(own[endpoint]), connections)

    def _follow(self, change: Changed) -> None:
        """Its time, and the watch over its connections; a weight that was set on top of it disturbs neither."""
        old, new = change.old or Override(), change.new or Override()
        if old.hold == new.hold:
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
        self._over |= dict.fromkeys(keys)
        if keys:
            self._is_over.set()

    async def _end_what_is_over(self) -> None:
        while True:
            await self._is_over.wait()
            self._is_over.clear()
            keys, self._over = self._over, {}
            async for name, part in self._parts(keys):
                late = [each for each in part if self._has_ended((name, each))]
                self._set(name, late, over, ITSELF)

    def _has_ended(self, key: Key) -> bool:
        """Not what was set anew since its time was over."""
        name, endpoint = key
        server = self._servers(name).get(endpoint)
        limited = server is not None and server.override is not None and server.override.until is not None
        return limited and not self._terms.left(key)

    async def _tell_drained(self, keys: Iterable[Key]) -> None:
        async for name, part in self._parts(keys):
            servers = self._servers(name)
            known = {each: servers[each].override for each in part if each in servers}
            endless = {each: replace(old, until=None) for each, old in known.items() if old and _draining(old)}
            done = {each: drain for each in endless if (drain := self._drains.of((name, each))) and drain.done}
            if done:  # else somebody has had it drained anew since; of the others nobody is left to be cut off
                self._controller.override_all(name, {each: endless[each] for each in done})
            for endpoint, drain in done.items():
                self._terms.set((name, endpoint), None)
                override = endless[endpoint]
                change = Changed(name, endpoint, override, override, (), drain.connections)
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


def _draining(override: Override) -> bool:
    return override.admin is Admin.DRAIN and not override.cut
