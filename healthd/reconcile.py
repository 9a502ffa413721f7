"""Holds the table true: compares what is desired with what is there, and converges.

Rules:

1. Only this file edits the table, and only services that are configured, or were and are to go.
2. The newest desired table wins; there is no queue of edits. A failed edit is therefore never lost: the next
   comparison finds what is missing.
3. Comparison happens after every change, after every failure (at once, then with back-off up to 30 s), and every
   `resync` seconds against a fresh reading.
4. What differs from our own last reading or edit was done by somebody else. It is reported field by field,
   and repaired.
5. A large table keeps nobody waiting: readings and edits are done in slices of a few milliseconds, and checks go on in
   between. One comparison with its edits runs to its end before the next begins, so no edit comes between the slices
   of a reading; a newer table that is submitted meanwhile is the next one's.
6. While it is frozen the table is read and compared all the same, and edited nowhere: what would be is `pending`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from itertools import islice

from healthd import edits, events
from healthd.clock import Clock, sleep_until
from healthd.differences import Difference, differences
from healthd.events import Bus
from healthd.ipvs import Ipvs, IpvsUnavailable
from healthd.model import ServiceKey, Table, VirtualService

MERGED = 0.02
"""Seconds between two comparisons at least: in a storm of changes many go together, a single one never waits."""

SLICE = 250
"""Edits that are carried out, or told, in one go: some milliseconds."""

BACK_OFF_FIRST = 1.0
BACK_OFF_MOST = 30.0


class Reconciler:
    def __init__(self, ipvs: Ipvs, clock: Clock, bus: Bus, *, resync: float) -> None:
        self.resync = resync
        self.names: Mapping[ServiceKey, str] = {}
        """What the services are called in events; of one that has no name here the edits alone are told."""
        self.answered_at = clock.monotonic()
        """When the table was read or edited last, in monotonic time; at first the time of construction."""
        self.frozen = False
        self.pending: tuple[edits.Edit, ...] = ()
        """What has not been done because the table is frozen."""
        self._ipvs = ipvs
        self._clock = clock
        self._bus = bus
        self._desired = Table()
        self._retired: frozenset[ServiceKey] = frozenset()
        self._believed: Table | None = None
        self._wake = asyncio.Event()
        self._back_off = 0.0
        self._next_reading = 0.0
        self._told: list[str] = []
        self._refused: list[edits.EditRefused] = []
        self._under_way = self._slices([])

    def submit(self, desired: Table, retired: frozenset[ServiceKey] = frozenset()) -> None:
        """`desired` is the newest truth; services in `retired` were owned and are to go."""
        self._desired = desired
        if retired or self._retired:
            self._retired = (self._retired | retired) - desired.services.keys()
        self._wake.set()

    def freeze(self) -> None:
        """From now on the table is only looked at; a comparison that is under way edits no further."""
        self.frozen = True
        self._wake.set()

    def thaw(self) -> None:
        """From now on the table is held true again, at once and from a fresh reading."""
        self.frozen = False
        self.pending = ()
        self._next_reading = self._clock.monotonic()
        self._wake.set()

    @property
    def actual(self) -> Table | None:
        """What the table holds, by the newest reading or edit; None while that is being found out."""
        return self._believed

    @property
    def errors(self) -> tuple[str, ...]:
        """What keeps the table from being as it should be; empty while nothing does."""
        return tuple(self._told)

    @property
    def pace(self) -> float:
        """Seconds within which the table is asked again."""
        return min(self.resync, BACK_OFF_MOST) if self._told else self.resync

    async def run(self) -> None:
        """Converges for ever."""
        while True:
            with closing(self._slices([])) as self._under_way:
                for _ in self._under_way:
                    await asyncio.sleep(0)
            next_at_least = self._clock.monotonic() + MERGED
            due = self._clock.monotonic() + self._back_off if self._back_off else self._next_reading
            timer = self._clock.call_at(due, self._wake.set)
            try:
                await self._wake.wait()
            finally:
                timer.cancel()
            if self._clock.monotonic() < next_at_least:
                await sleep_until(self._clock, next_at_least)

    def converge(self) -> list[edits.Edit]:
        """One comparison and its edits, without a pause; returns the ones that were carried out.

        One that is under way with pauses is given up for it.
        """
        self._under_way.close()
        done: list[edits.Edit] = []
        for _ in self._slices(done):
            pass
        return done

    def _slices(self, done: list[edits.Edit]) -> Generator[None]:
        """One comparison and its edits, which are added to `done`. It may be given up at any pause."""
        self._wake.clear()
        try:
            refused = yield from self._attempt(done)
            if refused:  # the table was not what we believed: once more, from a fresh reading
                refused = yield from self._attempt(done)
            if not self.frozen:  # in which nothing is tried, so what was refused before is as it was
                self._refused = refused
            errors, about = list(map(str, self._refused)), self._names_of(each.edit for each in self._refused)
        except IpvsUnavailable as error:
            errors, about = [str(error)], ()
        for start in range(0, len(done), SLICE):
            if start:
                yield
            self._tell(done[start : start + SLICE])
        self._settle(errors, about)

    def _tell(self, done: Sequence[edits.Edit]) -> None:
        commands = tuple(map(str, done))
        self._bus.publish(events.TableEdited(at=self._clock.wall(), edits=commands, about=self._names_of(done)))

    def _names_of(self, some: Iterable[edits.Edit | Difference]) -> tuple[str, ...]:
        """What they are about, by name and once each. A service of a configuration before may have no name any more."""
        places = ((self.names.get(each.key), getattr(each, "endpoint", None)) for each in some)
        return tuple(dict.fromkeys(f"{name}/{endpoint or ''}" for name, endpoint in places if name is not None))

    def _attempt(self, done: list[edits.Edit]) -> Generator[None, None, list[edits.EditRefused]]:
        actual = yield from self._reading()
        desired, retired = self._desired, self._retired
        wanted = edits.diff(desired, actual, retired)
        if self.frozen:
            self.pending = tuple(wanted)
            return []
        self._believed = None  # should the table become unavailable on the way, or this be given up
        refused: list[edits.EditRefused] = []
        for start in range(0, len(wanted), SLICE):
            if start:
                yield
                if self.frozen:
                    return refused
            some = wanted[start : start + SLICE]
            refusals = self._ipvs.apply(some)
            self.answered_at = self._clock.monotonic()
            not_done = {id(refusal.edit) for refusal in refusals}
            done += [edit for edit in some if id(edit) not in not_done]
            refused += refusals
        if refused:
            # What the real table took and this one would not was not as we believed.
            not_done = {id(refusal.edit) for refusal in refused}
            self._believed, _ = edits.apply_all((edit for edit in wanted if id(edit) not in not_done), actual)
            self._next_reading = self._clock.monotonic()
        else:
            self._believed = desired
            self._retired -= retired
        return refused

    def _keys(self) -> frozenset[ServiceKey]:
        return self._retired | self._desired.services.keys()

    def _reading(self) -> Generator[None, None, Table]:
        """What the table holds: what we believe it does, or a fresh reading when that is due."""
        believed = self._believed
        due = self._clock.monotonic() >= self._next_reading
        if believed is not None and not due and self._keys() <= believed.services.keys():
            return believed
        while True:
            keys = self._keys()
            actual = yield from self._scan(keys)
            if self._keys() <= keys:
                return actual

    def _scan(self, keys: frozenset[ServiceKey]) -> Generator[None, None, Table]:
        """A fresh reading. A service that is as we believe is the very same object as before, which is cheap to see."""
        began = self._clock.monotonic()
        believed = self._believed or Table()
        services: dict[ServiceKey, VirtualService] = {}
        with closing(self._ipvs.scan(keys)) as found:
            for each in found:
                if each is None:
                    yield
                    continue
                key, service = each
                known = believed.services.get(key)
                services[key] = known if known == service else service
        self.answered_at = self._clock.monotonic()
        self._next_reading = began + self.resync
        actual = Table(services)
        changed = frozenset(
            key for key in keys & believed.services.keys() if services.get(key) is not believed.services[key]
        )
        changes = differences(believed.only(changed), actual.only(changed))
        self._believed = actual
        while some := tuple(islice(changes, SLICE)):
            texts, about = tuple(map(str, some)), self._names_of(some)
            at = self._clock.wall()
            self._bus.publish(events.TableDrift(at=at, differences=texts, frozen=self.frozen, about=about))
            yield
        return actual

    def _settle(self, errors: list[str], about: tuple[str, ...]) -> None:
        """Sets the pace of the next try, and tells once what is wrong, and once that it no longer is."""
        self._back_off = min(max(self._back_off * 2, BACK_OFF_FIRST), BACK_OFF_MOST) if errors else 0.0
        if errors == self._told:
            return
        self._told = errors
        at = self._clock.wall()
        if errors:
            self._bus.publish(events.TableError(at=at, errors=tuple(errors), retry_in=self._back_off, about=about))
        else:
            self._bus.publish(events.TableRestored(at=at))
