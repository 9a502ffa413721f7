"""A mapping that never changes, and of which another one that differs in one item costs little.

With a dictionary each change of a table of ten thousand servers would copy ten thousand entries, and the failure of all
of them a hundred million.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_THICK = 64
"""Changes on top of the base from which on the two are made one."""

_GONE: Any = object()


class Layered(Mapping[K, V]):
    """Equal to any mapping with the same items. New keys come last."""

    __slots__ = ("_base", "_changes")

    def __init__(self, base: Mapping[K, V], changes: Mapping[K, V] | None = None) -> None:
        self._base = base
        self._changes: Mapping[K, V] = changes or {}

    @classmethod
    def of(cls, mapping: Mapping[K, V]) -> Layered[K, V]:
        """The mapping, which nobody may change any more."""
        return mapping if isinstance(mapping, cls) else cls(mapping)

    def with_item(self, key: K, value: V) -> Layered[K, V]:
        return self._changed(key, value)

    def without(self, key: K) -> Layered[K, V]:
        """Whether it has the key or not."""
        return self._changed(key, _GONE) if key in self else self

    def _changed(self, key: K, value: V) -> Layered[K, V]:
        if len(self._changes) >= _THICK:
            self._whole()
        return Layered(self._base, {**self._changes, key: value})

    def _whole(self) -> Mapping[K, V]:
        """All in one; from then on this is the base, which nobody can tell."""
        if self._changes:
            whole = {**self._base, **self._changes}
            for key in [key for key, value in self._changes.items() if value is _GONE]:
                del whole[key]
            self._base, self._changes = whole, {}
        return self._base

    def __getitem__(self, key: K) -> V:
        value = self._changes.get(key)
        if value is None:
            return self._base[key]
        if value is _GONE:
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[K]:
        return iter(self._whole())

    def __len__(self) -> int:
        return len(self._whole())

    def items(self) -> ItemsView[K, V]:
        return self._whole().items()

    def keys(self) -> KeysView[K]:
        return self._whole().keys()

    def values(self) -> ValuesView[V]:
        return self._whole().values()

    def __contains__(self, key: object) -> bool:
        found = self._changes.get(key)  # type: ignore[arg-type] # any hashable may be asked for
        return key in self._base if found is None else found is not _GONE

    def __eq__(self, other: object) -> bool:
        mine = self._whole()
        return mine == (other._whole() if isinstance(other, Layered) else other)

    __hash__ = None  # type: ignore[assignment] # as for a dictionary

    def __repr__(self) -> str:
        return repr(self._whole())
