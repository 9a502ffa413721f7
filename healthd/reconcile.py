"""Holds the table true: compares what is desired with what is there, and converges.

Rules:

1. Only this file edits the table, and only services that are configured, or were and are to go.
2. The newest desired table wins; there is no queue of edits. A failed edit is therefore never lost: the next
   comparison finds what is missing.
3. Comparison happens after every change, after every failure (at once, then with back-off up to 30 s), and every
   `resync` seconds against a fresh reading.
4. What differs from our own last reading or edit was done by somebody else. It is reported field by field,
   and repaired.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from healthd import edits, events
from healthd.clock import Clock, sleep_until
from healthd.events import Bus
from healthd.ipvs import Ipvs, IpvsUnavailable
from healthd.model import ServiceKey, Table

MERGED = 0.02
"""Seconds between two comparisons at least: in a storm of changes many go together, a single one never waits."""

BACK_OFF_FIRST = 1.0
BACK_OFF_MOST = 30.0


class Reconciler:
    def __init__(self, ipvs: Ipvs, clock: Clock, bus: Bus, *, resync: float) -> None:
        self.resync = resync
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

    def submit(self, desired: Table, retired: frozenset[ServiceKey] = frozenset()) -> None:
        """`desired` is the newest truth; services in `retired` were owned and are to go."""
        self._desired = desired
        self._retired = (self._retired | retired) - desired.services.keys()
        self._wake.set()

    async def run(self) -> None:
        """Converges for ever."""
        while True:
            self.converge()
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
        """One comparison and its edits; returns the ones that were carried out."""
        self._wake.clear()
        done: list[edits.Edit] = []
        try:
            refused = self._attempt(done)
            if refused:
                refused = self._attempt(done)  # the table was not what we believed: once more, from a fresh reading
            errors = [f"{refusal.edit}: {refusal.reason}" for refusal in refused]
        except IpvsUnavailable as error:
            errors = [str(error)]
        if done:
            self._bus.publish(events.TableEdited(at=self._clock.wall(), edits=tuple(map(str, done))))
        self._settle(errors)
        return done

    def _attempt(self, done: list[edits.Edit]) -> list[edits.EditRefused]:
        keys = frozenset(self._desired.services) | self._retired
        actual = self._reading(keys)
        wanted = edits.diff(self._desired, actual, self._retired)
        self._believed = None  # should the table become unavailable on the way
        refused = self._ipvs.apply(wanted) if wanted else []
        not_done = {id(refusal.edit) for refusal in refused}
        carried_out = [edit for edit in wanted if id(edit) not in not_done]
        done += carried_out
        if refused:
            self._believed = _expected(actual, carried_out)
            self._next_reading = self._clock.monotonic()
        else:
            self._believed = self._desired
            self._retired = frozenset()
        return refused

    def _reading(self, keys: frozenset[ServiceKey]) -> Table:
        """What the table holds: what we believe it does, or a fresh reading when that is due."""
        now = self._clock.monotonic()
        believed = self._believed
        if believed is not None and now < self._next_reading and keys <= believed.services.keys():
            return believed
        actual = self._ipvs.read(keys)
        self._next_reading = now + self.resync
        if believed is not None:
            ours = keys & believed.services.keys()
            self._tell_drift(edits.differences(believed.only(ours), actual.only(ours)))
        return actual

    def _tell_drift(self, differences: list[str]) -> None:
        if differences:
            self._bus.publish(events.TableDrift(at=self._clock.wall(), differences=tuple(differences)))

    def _settle(self, errors: list[str]) -> None:
        """Sets the pace of the next try, and tells once what is wrong, and once that it no longer is."""
        self._back_off = min(max(self._back_off * 2, BACK_OFF_FIRST), BACK_OFF_MOST) if errors else 0.0
        if errors == self._told:
            return
        self._told = errors
        at = self._clock.wall()
        if errors:
            self._bus.publish(events.TableError(at=at, errors=tuple(errors), retry_in=self._back_off))
        else:
            self._bus.publish(events.TableRestored(at=at))


def _expected(table: Table, carried_out: Iterable[edits.Edit]) -> Table:
    """What the table holds after these edits if nobody else touched it: what differs from this is somebody's doing."""
    for edit in carried_out:
        with suppress(edits.EditRefused):  # the real table took it, so it was not what we believed
            table = edits.apply(edit, table)
    return table
