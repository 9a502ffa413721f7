"""Inheritance: what a service says itself, over what [defaults] say, over what is built in. The nearest wins."""

from __future__ import annotations

import enum
import functools
from dataclasses import dataclass
from typing import Any

from healthd.config.findings import Findings, Place
from healthd.config.models import Inherited, ServiceTable
from healthd.config.sections import Read, adapter_of

BUILT_IN: dict[str, Any] = {
    "interval": "5s",
    "fast_interval": "1s",
    "timeout": "3s",
    "fall": 3,
    "rise": 2,
    "protocol": "tcp",
    "scheduler": "wlc",
    "forward": "masq",
    "on_failure": "quiesce",
    "all_down": "empty",
    "min_available": 1,
    "slow": "off",
    "degraded_weight": "100%",
    "weight_step": "5%",
    "weight_interval": "10s",
}
"""As it would be written. Here alone stands what holds when no file says anything."""


class Level(enum.IntEnum):
    """Who says it: the higher, the nearer."""

    BUILT_IN = 0
    DEFAULTS = 1
    SERVICE = 2
    CHECK = 3


@functools.cache
def _built_in() -> Inherited:
    built_in: Inherited = adapter_of(Inherited).validate_python(BUILT_IN)
    return built_in


@dataclass(frozen=True)
class Layers:
    """One service's view of the three tables. `values` has every key that any of them has."""

    name: str
    own: Read[ServiceTable]
    defaults: Read[Inherited]

    @functools.cached_property
    def values(self) -> ServiceTable:
        return {**_built_in(), **self.defaults.table, **self.own.table}

    def level(self, key: str) -> Level:
        if key in self.own.table:
            return Level.SERVICE
        return Level.DEFAULTS if key in self.defaults.table else Level.BUILT_IN

    def where(self, key: str) -> Place:
        """The place that decides `key`, or where the service itself could."""
        layer = self.defaults if self.level(key) is Level.DEFAULTS else self.own
        return layer.section.at((key,))

    def sound(self, *keys: str) -> bool:
        """Whether the keys are as the user meant them: none was left out because it is wrong."""
        if not self.own.broken and not self.defaults.broken:
            return True  # as nearly always, and this is asked for every server
        return all(
            self.own.sound(key) and (self.level(key) is Level.SERVICE or self.defaults.sound(key)) for key in keys
        )

    def complain(self, findings: Findings, key: str, text: str, *, below: tuple[str | int, ...] = ()) -> None:
        """Says what is wrong with `key`, or with something `below` it, and for whom where it is inherited."""
        place = functools.reduce(Place.__truediv__, below, self.where(key))
        heir = f" (inherited by service.{self.name})" if self.level(key) is Level.DEFAULTS else ""
        findings.error(place, text + heir)
