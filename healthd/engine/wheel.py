"""Things that are due at some time, kept on a grid: what is due at nearly the same time is found in one wake-up."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from typing import Generic, TypeVar

GRID = 0.01
"""Seconds between two points of the grid. Nothing is due early, and nothing more than this late by it."""

_ROUNDING = 1e-6  # in points: a multiple of the grid, computed in floating point, is that point and not the next one

T = TypeVar("T")


class Wheel(Generic[T]):
    """Nothing is ever taken out before its time: whoever puts something in recognizes what is no longer wanted."""

    def __init__(self) -> None:
        self._points: list[int] = []  # a heap
        self._items: dict[int, list[T]] = {}

    def put(self, when: float, item: T) -> int:
        """The point of the grid at which `item` is due."""
        point = math.ceil(when / GRID - _ROUNDING)
        items = self._items.get(point)
        if items is None:
            self._items[point] = [item]
            heapq.heappush(self._points, point)
        else:
            items.append(item)
        return point

    @property
    def next(self) -> float | None:
        """When something is due next."""
        return self._points[0] * GRID if self._points else None

    def due(self, now: float) -> Iterator[tuple[int, list[T]]]:
        """Takes out what is due, point by point; what is put in meanwhile too, if it is due as well."""
        current = math.floor(now / GRID + _ROUNDING)
        while self._points and self._points[0] <= current:
            point = heapq.heappop(self._points)
            yield point, self._items.pop(point)
