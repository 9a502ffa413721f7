"""What one round found, as an exit status, as JSON, and as lines for people. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checkers.base import Status
from healthd.cli.exits import Exit
from healthd.events import outcome_record
from healthd.model import Endpoint
from healthd.once import Round
from healthd.policy import Standing
from healthd.snapshot import CheckView, ServerView, ServiceView
from healthd.verdict import Health

SOME_DOWN = 1
SERVICE_LOST = 2
SOME_UNKNOWN = 3


def exit_status(done: Round) -> int:
    """The gravest of what was found: the table refused an edit, a service is lost, a server is down, one is unknown."""
    if done.errors:
        return Exit.TABLE_REFUSED
    services = done.snapshot.services
    if any(map(_lost, services)):
        return SERVICE_LOST
    servers = [server for service in services for server in service.servers]
    if any(server.health is Health.DOWN for server in servers):
        return SOME_DOWN
    if any(map(_unknown, servers)):
        return SOME_UNKNOWN
    return Exit.OK


def _lost(service: ServiceView) -> bool:
    """No server is left for certain. One that nobody could ask may be well, so it does not count as lost alone."""
    down = any(server.health is Health.DOWN for server in service.servers)
    return service.standing is Standing.LOST or (service.available == 0 and down)


def _unknown(server: ServerView) -> bool:
    return server.health is Health.UNDECIDED or any(map(_not_told, server.checks))


def _not_told(check: CheckView) -> bool:
    return check.last is not None and check.last.status is Status.UNKNOWN


def as_json(done: Round) -> dict[str, Any]:
    """The documented shape; `errors` is there only when the table refused something."""
    content: dict[str, Any] = {
        "services": [_service_json(service) for service in done.snapshot.services],
        "edits": list(done.edits),
    }
    if done.errors:
        content["errors"] = list(done.errors)
    return content | {"exit": int(exit_status(done))}


def _service_json(service: ServiceView) -> dict[str, Any]:
    return {
        "name": service.name,
        "virtual": service.virtual,
        "available": service.available,
        "fallback_active": service.fallback_active,
        "servers": [_server_json(server) for server in service.servers],
    }


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _server_json(server: ServerView) -> dict[str, Any]:
    last = server.last
    return {
        "address": server.address,
        "port": server.port,
        "health": server.health.value,
        "degraded": server.degraded,
        "weight": server.weight,
        "configured_weight": server.configured_weight,
        "last": last and outcome_record(last),
    }


HEADERS = ("SERVICE", "VIRTUAL", "SERVER", "HEALTH", "WEIGHT", "LAST", "TIME")


def rows(done: Round) -> Iterator[tuple[str, ...]]:
    """A row for each server of the services that are not entirely well; what repeats is left out."""
    for service in done.snapshot.services:
        if _well(service):
            continue
        head = (service.name, service.virtual)
        for server in service.servers:
            yield (*head, *_server_row(server))
            head = ("", "")


def _server_row(server: ServerView) -> tuple[str, ...]:
    last = server.last
    shown = ("-", "-") if last is None else (last.code, f"{last.seconds * 1000:.0f} ms")
    return (_where(server), server.health.value, _weight(server), *shown)


def _weight(server: ServerView) -> str:
    if server.weight is None:
        return "not in table"
    if server.weight == server.configured_weight:
        return str(server.weight)
    return f"{server.weight} of {server.configured_weight}"


def _where(server: ServerView) -> str:
    return f"[{server.address}]:{server.port}" if ":" in server.address else f"{server.address}:{server.port}"


def _well(service: ServiceView) -> bool:
    return not any(_troubles_of(service, None))


def count_of_well(done: Round) -> str:
    """How many services the table leaves out, in words; empty for none."""
    services = done.snapshot.services
    well = sum(map(_well, services))
    if not well:
        return ""
    verb = "is" if well == 1 else "are"
    if well == len(services):
        servers = sum(len(service.servers) for service in services)
        return f"All is well: {counted(well, 'service')} with {counted(servers, 'server')}."
    return f"{counted(well, 'other service')} {verb} well."


def troubles(done: Round, fallbacks: Mapping[str, Endpoint]) -> Iterator[str]:
    """A line for everything that is not well, with the evidence; `fallbacks` are by the service's name."""
    for service in done.snapshot.services:
        yield from _troubles_of(service, fallbacks.get(service.name))
    for error in done.errors:
        yield f"table: refused: {error}"


def _troubles_of(service: ServiceView, fallback: Endpoint | None) -> Iterator[str]:
    for server in service.servers:
        for check in server.checks:
            if text := _trouble(server, check):
                yield f"{service.name}: server {_where(server)} {text}"
    if _lost(service):
        yield f"{service.name}: no real server left; {_consequence(service, fallback)}"


def _trouble(server: ServerView, check: CheckView) -> str:
    last = check.last
    if last is None:
        return ""
    if last.status is Status.UNKNOWN:
        kept = "undecided" if server.health is Health.UNDECIDED else server.health.value
        return f"could not be checked and stays {kept} ({check.name}): {last}"
    if last.status is Status.FAIL:
        failing = "is down" if check.health is Health.DOWN else f"is still {server.health.value}, but failed a check"
        return f"{failing} ({check.name}): {last}"
    if check.health is Health.DOWN:
        return f"is down, but passes again ({check.name}): {last}"
    return ""


def _consequence(service: ServiceView, fallback: Endpoint | None) -> str:
    if service.fail_open:
        return 'every server is back at its configured weight (all_down = "all")'
    if service.fallback_active:
        return f"fallback server {fallback} answers"
    return "nobody answers"
