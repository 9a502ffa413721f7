"""What has to be done to one table to make it another. Pure: nothing here touches a kernel.

Rules:

1. Only services of the desired table and `retired` ones are looked at. Any other service is somebody else's.
2. What adds capacity comes before what takes it away: new services, then servers that come in or gain weight, then
   other changes, then servers that lose weight or go, then services that go. So a service that has a weighted
   server before and after has one after every single edit.
3. Applying the edits in order to the actual table gives the desired one, within the services looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


DestinationEdit = AddDestination | EditDestination | DeleteDestination

Edit = AddService | EditService | DeleteService | DestinationEdit
"""One change of the table; its text is that of the ipvsadm command that would do the same."""

_EMPTY = VirtualService()


def diff(desired: Table, actual: Table, retired: Iterable[ServiceKey] = ()) -> list[Edit]:
    """The edits that turn `actual` into `desired`, in an order that never empties a service on the way."""
    first: list[Edit] = []
    servers = _ServerEdits([], [], [])
    for key, wanted in desired.services.items():
        found = actual.services.get(key)
        if found is wanted:
            continue  # which spares the comparison of every server of every service that did not change
        if found is None:
            first.append(AddService(key, wanted.options))
        elif found.options != wanted.options:
            first.append(EditService(key, wanted.options))
        servers.compare(key, wanted.destinations, (found or _EMPTY).destinations)
    gone = actual.services.keys() & set(retired) - desired.services.keys()
    last = [DeleteService(key) for key in sorted(gone, key=str)]
    return first + servers.gains + servers.neutral + servers.losses + last


@dataclass(frozen=True, slots=True)
class _ServerEdits:
    """By whether they give a service weight or take it away."""

    gains: list[Edit]
    neutral: list[Edit]
    losses: list[Edit]

    def compare(
        self, key: ServiceKey, wanted: Mapping[Endpoint, Destination], found: Mapping[Endpoint, Destination]
    ) -> None:
        for endpoint, to in wanted.items():
            before = found.get(endpoint)
            if before is to:
                continue
            if before is None:
                (self.gains if to.weight else self.neutral).append(AddDestination(key, endpoint, to))
            elif before != to:
                gain = to.weight - before.weight
                kind = self.gains if gain > 0 else self.losses if gain else self.neutral
                kind.append(EditDestination(key, endpoint, to))
        self.losses.extend(DeleteDestination(key, endpoint) for endpoint in found if endpoint not in wanted)


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
    draft = _Draft(table)
    draft.apply(edit)
    return Table(draft.services)


def apply_all(edits: Iterable[Edit], table: Table) -> tuple[Table, list[EditRefused]]:
    """`table` after all the edits that would not be refused, and the refusals."""
    draft = _Draft(table)
    refused = []
    for edit in edits:
        try:
            draft.apply(edit)
        except EditRefused as refusal:
            refused.append(refusal)
    return Table(draft.services), refused


class _Draft:
    """A table in the making. The servers of a service are copied once, before the first of them is changed."""

    def __init__(self, table: Table) -> None:
        self.services = dict(table.services)
        self._copies: dict[ServiceKey, dict[Endpoint, Destination]] = {}

    def apply(self, edit: Edit) -> None:
        found = self.services.get(edit.key)
        match edit:
            case AddService(key, options):
                if found is not None:
                    raise EditRefused(edit, "File exists")
                self.services[key] = VirtualService(options, {})
            case EditService(key, options):
                self.services[key] = replace(_known(edit, found), options=options)
            case DeleteService(key):
                _known(edit, found)
                del self.services[key]
                self._copies.pop(key, None)
            case _:
                _apply_to_servers(edit, self._copy(edit.key, _known(edit, found)))

    def _copy(self, key: ServiceKey, service: VirtualService) -> dict[Endpoint, Destination]:
        copy = self._copies.get(key)
        if copy is None:
            copy = self._copies[key] = dict(service.destinations)
            self.services[key] = replace(service, destinations=copy)
        return copy


def _apply_to_servers(
    edit: AddDestination | EditDestination | DeleteDestination, servers: dict[Endpoint, Destination]
) -> None:
    present = edit.endpoint in servers
    match edit:
        case AddDestination(_, endpoint, destination):
            if present:
                raise EditRefused(edit, "File exists")
            servers[endpoint] = destination
        case EditDestination(_, endpoint, destination) if present:
            servers[endpoint] = destination
        case DeleteDestination(_, endpoint) if present:
            del servers[endpoint]
        case _:
            raise EditRefused(edit, "No such file or directory")


def _known(edit: Edit, service: VirtualService | None) -> VirtualService:
    if service is None:
        raise EditRefused(edit, "No such process")
    return service
