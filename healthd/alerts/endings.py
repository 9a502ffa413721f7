"""Which events begin a failure and which end one. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from healthd.alerts.batch import Subject
from healthd.alerts.notices import Flapping, SteadyDown, Withdrawn
from healthd.events import (
    Event,
    FallbackOut,
    ServerAdmitted,
    ServerEvent,
    ServerUp,
    ServiceRecovered,
    Started,
    TableRestored,
)

BEGINNINGS: Mapping[str, str] = {
    "server_up": "server_down",
    "service_recovered": "service_lost",
    "fallback_out": "fallback_in",
    "table_restored": "table_error",
    "server_steady": "server_down",
}
"""For each kind that ends a failure the kind that begins it."""

MAINTENANCE = ("maintenance_began", "maintenance_ended")
"""Between the two nothing is told of a server."""

_ALL = frozenset(BEGINNINGS.values())
_NONE: frozenset[str] = frozenset()


def opens(event: Event) -> bool:
    return event.kind in _ALL or isinstance(event, Flapping | SteadyDown)


def closes(event: Event) -> frozenset[str]:
    """The kinds of failure that `event` is the end of; none for most."""
    if isinstance(event, Withdrawn):
        return _ALL
    return frozenset({BEGINNINGS[event.kind]}) if event.kind in BEGINNINGS else _NONE


def ended_by(event: Event, known: Collection[Subject]) -> Iterator[Event]:
    """The ends of failures in `known` that follow from an event which is none itself.

    A healthd that has just started knows no failure of its earlier life: it tells that a server is well, or that it
    runs, but not that something is over.
    """
    if isinstance(event, Started) and ("table", "") in known:
        yield TableRestored(at=event.at)
    if not isinstance(event, ServerAdmitted):
        return
    at, service = event.at, event.service
    if ("server", service, event.server) in known:
        yield ServerUp(
            at=at,
            service=service,
            server=event.server,
            check=event.check,
            old="down",
            new=event.new,
            outcomes=event.outcomes,
            edits=event.edits,
            available=event.available,
            configured=event.configured,
        )
    if not event.available:
        return
    if ("service", service) in known:
        yield ServiceRecovered(at=at, service=service, available=event.available, configured=event.configured)
    for about in list(known):
        if about[:2] == ("fallback", service):
            yield FallbackOut(at=at, service=service, fallback=about[2])


def evidence(event: Event) -> str:
    """The outcome that made a server fail, in words."""
    return str(event.outcomes[-1]) if isinstance(event, ServerEvent) and event.outcomes else event.text()
