"""What goes into one message, folded by what it is about. Pure.

Rules:

1. Every event of a batch is in exactly one `Line`; within a line they keep their order.
2. A line is about one subject: a server, a service's having servers at all, a fallback server, a check, a worker
   process, the table.
   Its last event is what holds at the end, and gives the line its severity.
3. What is worst at the end comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from healthd.alerts.notices import Flapping, Heartbeat, Steady, SteadyDown, Trial, Withdrawn
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

Subject = tuple[str, ...]
"""What an event is about: its kind (`server`, `service`, ...), the service, and what else tells it from others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The events of one message, oldest first, at least one.

    `id` stays the same over all tries. `ready` is when the collecting ended, in monotonic seconds, and `at` the same by
    the wall clock. `lost` counts the events since the last message that are in none, and `held` the messages that the
    limit on messages has put into this one. `since` says when the failure of a subject began, by the wall clock;
    `reminders` are the subjects of which nothing is new.
    """

    id: str
    alert: str
    events: tuple[Event, ...]
    ready: float
    at: float
    lost: int = 0
    held: int = 0
    since: Mapping[Subject, float] = field(default_factory=dict)
    reminders: frozenset[Subject] = frozenset()

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

    @property
    def subject(self) -> Subject:
        return subject(self.last)


def subject(event: Event) -> Subject:
    """What `event` is about; events about the same are told together."""
    about: Subject
    match event:
        case ServerEvent() | Flapping() | Steady() | SteadyDown():
            about = "server", event.service, event.server
        case CheckUnknown():
            about = "check", event.service, event.server, event.check
        case WorkerLost():
            about = "worker", event.worker
        case ServiceLost() | ServiceRecovered():
            about = "service", event.service
        case FallbackIn() | FallbackOut():
            about = "fallback", event.service, event.fallback
        case TableError() | TableRestored():
            about = "table", event.service
        case Withdrawn():
            about = event.about
        case Heartbeat() | Trial():
            about = event.kind, event.service
        case _:
            about = event.kind, event.service, event.text()
    return about


def by_subject(events: Iterable[Event]) -> dict[Subject, list[Event]]:
    """In order of first appearance."""
    groups: dict[Subject, list[Event]] = {}
    for event in events:
        groups.setdefault(subject(event), []).append(event)
    return groups


def fold(events: Iterable[Event]) -> list[Line]:
    """The lines of a message, what is worst at the end first, otherwise in order of first appearance."""
    lines = [Line(tuple(group)) for group in by_subject(events).values()]
    return sorted(lines, key=lambda line: (-line.severity, -line.worst))
