"""A table that exists only here: for `table = "memory"`, for demonstrations and for tests."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping

from healthd.edits import Edit, EditRefused, apply_all
from healthd.model import Connections, Endpoint, ServiceKey, Table, VirtualService


class MemoryIpvs:
    """Takes and refuses what the kernel takes and refuses, and touches nothing on this machine."""

    def __init__(self, table: Table | None = None) -> None:
        self._table = table or Table()
        self.connections: dict[tuple[ServiceKey, Endpoint], Connections] = {}
        """Where there is no traffic, somebody has to say what is to be counted."""

    def read(self, keys: frozenset[ServiceKey] | None = None) -> Table:
        return self._table if keys is None else self._table.only(keys)

    def scan(self, keys: frozenset[ServiceKey] | None = None) -> Generator[tuple[ServiceKey, VirtualService] | None]:
        yield from self.read(keys).services.items()

    def counts(
        self, keys: frozenset[ServiceKey] | None = None
    ) -> Generator[tuple[ServiceKey, Mapping[Endpoint, Connections]] | None]:
        for key, service in self.read(keys).services.items():
            yield key, {end: self.connections.get((key, end), Connections()) for end in service.destinations}

    def keys(self) -> frozenset[ServiceKey]:
        return frozenset(self._table.services)

    def apply(self, edits: Iterable[Edit]) -> list[EditRefused]:
        self._table, refused = apply_all(edits, self._table)
        return refused

    def close(self) -> None:
        pass
