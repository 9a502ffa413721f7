"""What has to be done to one table to make it another. Pure: nothing here touches a kernel.

Rules:

1. Only services of the desired table and `retired` ones are looked at. Any other service is somebody else's.
2. What adds capacity comes before what takes it away: new services, then servers that come in or gain weight, then
   other changes, then servers that lose weight or go, then services that go. So a service that has a weighted
   server before and after has one after every single edit.
3. Applying the edits in order to the actual table gives the desired one, within the services looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from healthd.model import Destination, Endpoint, ServiceKey, ServiceOptions, Table, VirtualService


@dataclass(frozen=True, slots=True)
class AddService:
    key: ServiceKey
    options: ServiceOptions

    def __str__(self) -> str:
        return f"-A {self.key} {self.options.arguments(self.key.family)}"


@dataclass(frozen=True, slots=True)
class EditService:
    key: ServiceKey
    options: ServiceOptions

    def __str__(self) -> str:
        return f"-E {self.key} {self.options.arguments(self.key.family)}"


@dataclass(frozen=True, slots=True)
class DeleteService:
    key: ServiceKey

    def __str__(self) -> str:
        return f"-D {self.key}"


@dataclass(frozen=True, slots=True)
class AddDestination:
    key: ServiceKey
    endpoint: Endpoint
    destination: Destination

    def __str__(self) -> str:
        return f"-a {self.key} -r {self.endpoint} {self.destination.arguments()}"


@dataclass(frozen=True, slots=True)
class EditDestination:
    """The whole new record: the kernel knows no partial edit."""

    key: ServiceKey
    endpoint: Endpoint
    destination: Destination

    def __str__(self) -> str:
        return f"-e {self.key} -r {self.endpoint} {self.destination.arguments()}"


@dataclass(frozen=True, slots=True)
class DeleteDestination:
    key: ServiceKey
    endpoint: Endpoint

    def __str__(self) -> str:
        return f"-d {self.key} -r {self.endpoint}"


Edit = AddService | EditService | DeleteService | AddDestination | EditDestination | DeleteDestination
"""One change of the table; its text is that of the ipvsadm command that would do the same."""

_EMPTY = VirtualService()


def diff(desired: Table, actual: Table, retired: Iterable[ServiceKey] = ()) -> list[Edit]:
    """The edits that turn `actual` into `desired`, in an order that never empties a service on the way."""
    first: list[Edit] = []
    gains: list[Edit] = []
    neutral: list[Edit] = []
    losses: list[Edit] = []
    for key, wanted in desired.services.items():
        found = actual.services.get(key)
        if found is wanted:
            continue
        if found is None:
            first.append(AddService(key, wanted.options))
        elif found.options != wanted.options:
            first.append(EditService(key, wanted.options))
        for edit, gain in _destination_edits(key, wanted, found or _EMPTY):
            (gains if gain > 0 else losses if gain < 0 else neutral).append(edit)
    gone = actual.services.keys() & set(retired) - desired.services.keys()
    last = [DeleteService(key) for key in sorted(gone, key=str)]
    return first + gains + neutral + losses + last


def _destination_edits(key: ServiceKey, wanted: VirtualService, found: VirtualService) -> Iterator[tuple[Edit, int]]:
    """Each edit with the weight that it adds to the service or takes from it."""
    for endpoint, destination in wanted.destinations.items():
        before = found.destinations.get(endpoint)
        if before is None:
            yield AddDestination(key, endpoint, destination), destination.weight
        elif before != destination:
            yield EditDestination(key, endpoint, destination), destination.weight - before.weight
    for endpoint in found.destinations:
        if endpoint not in wanted.destinations:
            yield DeleteDestination(key, endpoint), -1


class EditRefused(Exception):  # noqa: N818 - named for what happened
    """The table did not take an edit; `reason` says why in the kernel's words."""

    def __init__(self, edit: Edit, reason: str) -> None:
        super().__init__(f"{edit}: {reason}")
        self.edit = edit
        self.reason = reason


def apply(edit: Edit, table: Table) -> Table:
    """`table` after `edit`.

    Raises:
        EditRefused: the kernel would refuse it too: the entry exists already, or does not exist.

    """
    services = dict(table.services)
    found = services.get(edit.key)
    match edit:
        case AddService(key, options):
            if found is not None:
                raise EditRefused(edit, "File exists")
            services[key] = VirtualService(options, {})
        case EditService(key, options):
            services[key] = replace(_known(edit, found), options=options)
        case DeleteService(key):
            _known(edit, found)
            del services[key]
        case _:
            services[edit.key] = _apply_to_service(edit, _known(edit, found))
    return Table(services)


def _apply_to_service(
    edit: AddDestination | EditDestination | DeleteDestination, service: VirtualService
) -> VirtualService:
    destinations = dict(service.destinations)
    present = edit.endpoint in destinations
    match edit:
        case AddDestination(_, endpoint, destination):
            if present:
                raise EditRefused(edit, "File exists")
            destinations[endpoint] = destination
        case EditDestination(_, endpoint, destination) if present:
            destinations[endpoint] = destination
        case DeleteDestination(_, endpoint) if present:
            del destinations[endpoint]
        case _:
            raise EditRefused(edit, "No such file or directory")
    return replace(service, destinations=destinations)


def _known(edit: Edit, service: VirtualService | None) -> VirtualService:
    if service is None:
        raise EditRefused(edit, "No such process")
    return service


def differences(before: Table, after: Table) -> list[str]:
    """What somebody changed between two readings, field by field, for people."""
    lines: list[str] = []
    for key in sorted(before.services.keys() | after.services.keys(), key=str):
        old, new = before.services.get(key), after.services.get(key)
        if old is None or new is None:
            lines.append(f"{key.label}: virtual service {'appeared' if old is None else 'is gone'}")
            continue
        if old.options != new.options:
            changed = f'"{old.options.arguments(key.family)}" to "{new.options.arguments(key.family)}"'
            lines.append(f"{key.label}: {changed}")
        lines += _destination_differences(key, old, new)
    return lines


def _destination_differences(key: ServiceKey, old: VirtualService, new: VirtualService) -> Iterator[str]:
    for endpoint in sorted(old.destinations.keys() | new.destinations.keys()):
        was, now = old.destinations.get(endpoint), new.destinations.get(endpoint)
        if was == now:
            continue
        where = f"{key.label} real server {endpoint}"
        if was is None or now is None:
            yield f"{where}: {'appeared' if was is None else 'is gone'}"
            continue
        for name in ("forward", "weight", "upper", "lower"):
            if getattr(was, name) != getattr(now, name):
                yield f"{where}: {name} {getattr(was, name)} to {getattr(now, name)}"
