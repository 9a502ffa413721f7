"""What an order makes of a server's override, whether that may be, and how it is told. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from healthd import edits, policy
from healthd.events import DrainBegan, DrainEnded, MaintenanceBegan, MaintenanceEnded, ServerAct, WeightSet
from healthd.model import Connections, Endpoint
from healthd.operators.orders import Order
from healthd.operators.selecting import Key
from healthd.overrides import Admin, Freeze, Override, SetWeight
from healthd.state import ServiceRecord

ITSELF = Order(who="healthd")
"""Who ends what ends by itself."""

Becomes = Callable[[Override | None], Override | None]
"""What an override becomes of the one before."""


def held(admin: Admin, order: Order, now: float, seconds: float | None) -> Becomes:
    """Drained or in maintenance from the wall-clock time `now` on; a weight that was set is kept for later."""
    until = None if seconds is None else now + seconds
    new = Override(admin=admin, since=now, until=until, who=order.who, reason=order.reason)
    return lambda old: replace(new, weight=old.weight if old else None)


def readied(old: Override | None) -> Override | None:
    """Neither drained nor in maintenance; a weight that was set holds again."""
    return _weighing(old.weight) if old is not None and old.held else old


def _weighing(weight: SetWeight | None) -> Override | None:
    return Override(weight=weight, since=weight.since, who=weight.who, reason=weight.reason) if weight else None


def weighted(weight: SetWeight | None, order: Order, now: float) -> Becomes:
    """Of that weight, or with None of the configured one, once it is not held: what it is held for stays."""
    new = replace(weight, since=now, who=order.who, reason=order.reason) if weight else None
    return lambda old: replace(old, weight=new) if old is not None and old.held else _weighing(new)


def over(old: Override | None) -> Override | None:
    """What its time makes of it: maintenance ends, and what is drained is cut."""
    return replace(old, cut=True, until=None) if old and old.admin is Admin.DRAIN else readied(old)


def standing(overrides: Mapping[Key, Override], now: float) -> dict[Key, Override]:
    """What is left at the wall-clock time `now` of overrides that nobody has watched over meanwhile."""
    left = {
        key: over(override) if override.until is not None and not left_of(override, now) else override
        for key, override in overrides.items()
    }
    return {key: override for key, override in left.items() if override is not None}


def left_of(limited: Override | Freeze, now: float) -> float | None:
    """Seconds that are left of its time, None if it has none.

    Never more than all of it, should the clock on the wall have been set back.
    """
    if limited.until is None:
        return None
    return max(0.0, min(limited.until - now, limited.until - limited.since))


def shortfall(service: ServiceRecord, available: int, overrides: Mapping[Endpoint, Override | None]) -> str:
    """Why the service, which has so many servers available, could not spare these; empty if it could."""
    if not service.config.min_available:
        return ""
    left = available
    for endpoint, override in overrides.items():
        server = service.servers[endpoint]
        now = server.state
        after = replace(now, override=override)
        left += policy.is_available(server.config, after) - policy.is_available(server.config, now)
    least = service.config.min_available
    if left >= least or left >= available:
        return ""
    return (
        f"{service.config.name}: {left} of {len(service.servers)} servers would be left available, "
        f"and min_available is {least}; --force does it all the same"
    )


@dataclass(frozen=True, slots=True)
class Changed:
    """What happened to the override of one server, and the `edits` of the table that follow.

    `connections` were counted last while it was drained.
    """

    service: str
    server: Endpoint
    old: Override | None
    new: Override | None
    edits: tuple[edits.Edit, ...]
    connections: Connections | None = None

    def told(self, order: Order, at: float) -> Iterator[ServerAct]:
        """The events of it; the last one says what holds now."""
        old, new = self.old or Override(), self.new or Override()
        facts = self._facts(order, at)
        if old.admin is Admin.MAINTENANCE and new.admin is not Admin.MAINTENANCE:
            yield MaintenanceEnded(cause="over" if order is ITSELF else new.admin.value, **facts)
        if old.admin is Admin.DRAIN and (new.cut or not new.held):
            yield DrainEnded(cause="cut" if new.cut else "ready", **facts, **self._counted)
        if new.held and not new.cut and new.hold != old.hold:
            began = DrainBegan if new.admin is Admin.DRAIN else MaintenanceBegan
            yield began(until=new.until, **facts)
        if new.weight != old.weight:
            yield WeightSet(weight=_weight(new), old=_weight(old), **facts)

    def drained(self, at: float) -> DrainEnded:
        """The event that nobody is connected any more."""
        return DrainEnded(cause="done", **self._facts(ITSELF, at), **self._counted)

    def _facts(self, order: Order, at: float) -> dict[str, Any]:
        return {
            "at": at,
            "service": self.service,
            "server": str(self.server),
            "who": order.who,
            "reason": order.reason,
            "edits": tuple(map(str, self.edits)),
        }

    @property
    def _counted(self) -> dict[str, Any]:
        return {} if self.connections is None else self.connections._asdict()

    @property
    def unchanged(self) -> str:
        """What is said where there is nothing to tell."""
        state = self.new.admin.value if self.new else Admin.READY.value
        return f"{self.service}: server {self.server} is as it was: {state}"


def _weight(override: Override) -> str:
    return str(override.weight) if override.weight else ""
