"""A table that exists only here: for `table = "memory"`, for demonstrations and for tests."""

from __future__ import annotations

from collections.abc import Iterable

from healthd.edits import Edit, EditRefused
from healthd.edits import apply as table_after
from healthd.model import ServiceKey, Table


class MemoryIpvs:
    """Takes and refuses what the kernel takes and refuses, and touches nothing on this machine."""

    def __init__(self, table: Table | None = None) -> None:
        self._table = table or Table()

    def read(self, keys: frozenset[ServiceKey] | None = None) -> Table:
        return self._table if keys is None else self._table.only(keys)

    def keys(self) -> frozenset[ServiceKey]:
        return frozenset(self._table.services)

    def apply(self, edits: Iterable[Edit]) -> list[EditRefused]:
        refused = []
        for edit in edits:
            try:
                self._table = table_after(edit, self._table)
            except EditRefused as refusal:
                refused.append(refusal)
        return refused

    def close(self) -> None:
        pass
