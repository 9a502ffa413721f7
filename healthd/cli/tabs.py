"""The servers as tab-separated values, for awk and spreadsheets: every number as it is, nothing for the unknown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from healthd.cli.answers import Server
from healthd.printable import one_line

TITLES = (
    "service",
    "server",
    "state",
    "health",
    "progress",
    "weight",
    "configured_weight",
    "active",
    "inactive",
    "persistent",
    "check",
    "status",
    "code",
    "seconds",
    "age",
    "since",
    "transitions",
    "until",
    "reason",
)


def tab_separated(servers: Iterable[Server]) -> Iterator[str]:
    """A line of titles, then a line for each; no value has a tab or a line break in it."""
    yield "\t".join(TITLES)
    for server in servers:
        yield "\t".join(_text(value) for value in _values(server))


def _values(server: Server) -> tuple[object, ...]:
    check = server.deciding
    last = check.last if check else None
    return (
        server.service,
        server.name,
        server.state,
        server.health,
        server.progress,
        server.weight,
        server.configured_weight,
        server.active,
        server.inactive,
        server.persistent,
        check.name if check else None,
        last.status if last else None,
        last.code if last else None,
        last.seconds if last else None,
        None if check is None or check.age is None else round(check.age, 3),
        round(server.since, 3),
        server.transitions,
        server.override.until if server.override else None,
        server.reason,
    )


def _text(value: object) -> str:
    return "" if value is None else one_line(str(value))
