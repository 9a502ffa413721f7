"""What two readings of one table do not have in common, for people: somebody else has changed it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from healthd.model import Destination, Endpoint, ServiceKey, Table


@dataclass(frozen=True, slots=True)
class Difference:
    """What somebody changed: a field of a service, or of the server `endpoint` of it. Its text is for people."""

    key: ServiceKey
    what: str
    endpoint: Endpoint | None = None

    def __str__(self) -> str:
        where = self.key.label if self.endpoint is None else f"{self.key.label} real server {self.endpoint}"
        return f"{where}: {self.what}"


def differences(before: Table, after: Table) -> Iterator[Difference]:
    """What is not the same in two readings, field by field."""
    for key in sorted(before.services.keys() | after.services.keys(), key=str):
        old, new = before.services.get(key), after.services.get(key)
        if old is None or new is None:
            yield Difference(key, f"virtual service {'appeared' if old is None else 'is gone'}")
            continue
        if old.options != new.options:
            changed = f'"{old.options.arguments(key.family)}" to "{new.options.arguments(key.family)}"'
            yield Difference(key, changed)
        yield from _destination_differences(key, old.destinations, new.destinations)


def _destination_differences(
    key: ServiceKey, old: Mapping[Endpoint, Destination], new: Mapping[Endpoint, Destination]
) -> Iterator[Difference]:
    changed = {endpoint for endpoint, destination in new.items() if old.get(endpoint) != destination}
    for endpoint in sorted(changed | (old.keys() - new.keys())):
        was, now = old.get(endpoint), new.get(endpoint)
        if was is None or now is None:
            yield Difference(key, "appeared" if was is None else "is gone", endpoint)
            continue
        for name in ("forward", "weight", "upper", "lower"):
            if getattr(was, name) != getattr(now, name):
                yield Difference(key, f"{name} {getattr(was, name)} to {getattr(now, name)}", endpoint)
