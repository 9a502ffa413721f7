"""What goes into one message, folded by what it is about. Pure.

Rules:

1. Every event of a batch is in exactly one `Line`; within a line they keep their order.
2. A line is about one subject: a server, a service's having servers at all, a fallback server, a check, a worker
   process, the table.
   Its last event is what holds at the end, and gives the line its severity.
3. What is worst at the end comes first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from healthd.events import (
    CheckUnknown,
    Event,
    FallbackIn,
    FallbackOut,
    ServerEvent,
    ServiceLost,
    ServiceRecovered,
    Severity,
    TableError,
    TableRestored,
    WorkerLost,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The events of one message, oldest first, at least one.

    `id` stays the same over all tries. `ready` is when the collecting ended, in monotonic seconds, and `at` the same by
    the wall clock. `lost` counts the events since the last message that are in none.
    """

    id: str
    alert: str
    events: tuple[Event, ...]
    ready: float
    at: float
    lost: int = 0

    def lines(self) -> list[Line]:
        return fold(self.events)


@dataclass(frozen=True, slots=True)
class Line:
    """What a batch says about one subject: its events, oldest first, at least one."""

    events: tuple[Event, ...]

    @property
    def last(self) -> Event:
        return self.events[-1]

    @property
    def severity(self) -> Severity:
        return self.last.severity

    @property
    def worst(self) -> Severity:
        return max(event.severity for event in self.events)


def subject(event: Event) -> tuple[str, ...]:  # noqa: PLR0911 - a line for each
    """What `event` is about; events about the same are told together."""
    match event:
        case ServerEvent():
            return "server", event.service, event.server
        case CheckUnknown():
            return "check", event.service, event.server, event.check
        case WorkerLost():
            return "worker", event.worker
        case ServiceLost() | ServiceRecovered():
            return "service", event.service
        case FallbackIn() | FallbackOut():
            return "fallback", event.service, event.fallback
        case TableError() | TableRestored():
            return "table", event.service
        case _:
            return event.kind, event.service, event.text()


def fold(events: Iterable[Event]) -> list[Line]:
    """The lines of a message, what is worst at the end first, otherwise in order of first appearance."""
    groups: dict[tuple[str, ...], list[Event]] = {}
    for event in events:
        groups.setdefault(subject(event), []).append(event)
    lines = [Line(tuple(group)) for group in groups.values()]
    return sorted(lines, key=lambda line: (-line.severity, -line.worst))
