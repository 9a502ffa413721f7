"""What becomes of the controller's memory under another plan, or after a restart: nothing is forgotten needlessly.

The records that come out are new ones; only the checks that did not change are the very same as before.
"""

from __future__ import annotations

from collections.abc import Mapping

from healthd.config.values import ServiceConfig
from healthd.model import Table, VirtualService
from healthd.plan import JobId, Plan
from healthd.remembered import Memory
from healthd.state import Place, ServiceRecord, adopted, carried_over
from healthd.verdict import Health


def known_under(plan: Plan, services: Mapping[str, ServiceRecord]) -> dict[str, ServiceRecord | None]:
    """What is known of each service of `plan`, by its name there; None of one that is new."""
    by_key = {record.config.key: record for record in services.values()}
    return {name: by_key.get(service.key) or _moved(service, plan, services) for name, service in plan.services.items()}


def _moved(service: ServiceConfig, plan: Plan, services: Mapping[str, ServiceRecord]) -> ServiceRecord | None:
    """A service is known by its key, which is what it is in the table; or, if that is no longer there, by its name."""
    namesake = services.get(service.name)
    return namesake if namesake and namesake.config.key not in plan.keys else None


def succeeded(
    plan: Plan, known: Mapping[str, ServiceRecord | None], actual: Table, at: float
) -> dict[str, ServiceRecord]:
    """The records of the services of `plan`; one of which nothing is known is adopted from the table."""
    return {
        name: carried_over(old, service, at) if (old := known.get(name)) else adopted_from(actual, service, at)
        for name, service in plan.services.items()
    }


def adopted_from(actual: Table, service: ServiceConfig, at: float) -> ServiceRecord:
    return adopted(service, actual.services.get(service.key, VirtualService()), at)


def recall(memory: Memory, services: Mapping[str, ServiceRecord], places: Mapping[JobId, Place]) -> None:
    """Puts what an earlier run has left in its place; an undecided verdict says nothing."""
    for name, verdict in memory.verdicts.items():
        if name in places and verdict.health is not Health.UNDECIDED:
            _, _, check = places[name]
            check.verdict = verdict
            check.cause = memory.causes.get(name) if verdict.health is Health.DOWN else None
    servers = {(name, end): server for name, record in services.items() for end, server in record.servers.items()}
    for key in memory.overrides.keys() & servers.keys():
        servers[key].override = memory.overrides[key]
    for key in memory.pasts.keys() & servers.keys():
        servers[key].since, servers[key].transitions = memory.pasts[key]
