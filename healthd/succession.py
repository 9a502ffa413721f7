"""What becomes of the controller's memory under another plan, or after a restart: nothing is forgotten needlessly.

The records that come out are new ones; only the checks that did not change are the very same as before.
"""

from __future__ import annotations

from collections.abc import Mapping

from healthd.config.values import ServiceConfig
from healthd.model import Endpoint, Table, VirtualService
from healthd.overrides import Override
from healthd.plan import JobId, Plan
from healthd.state import Place, ServiceRecord, adopted, carried_over
from healthd.verdict import Health, Verdict

Key = tuple[str, Endpoint]


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


def recall_verdicts(places: Mapping[JobId, Place], verdicts: Mapping[JobId, Verdict]) -> None:
    """Puts the verdicts of an earlier run in their places; an undecided one says nothing."""
    for name, verdict in verdicts.items():
        if name in places and verdict.health is not Health.UNDECIDED:
            _, _, check = places[name]
            check.verdict = verdict


def recall_servers(
    services: Mapping[str, ServiceRecord],
    overrides: Mapping[Key, Override],
    pasts: Mapping[Key, tuple[float, int]],
) -> None:
    """Likewise what was set for servers, and since when they have been as they are."""
    servers = {(name, end): server for name, record in services.items() for end, server in record.servers.items()}
    for key in overrides.keys() & servers.keys():
        servers[key].override = overrides[key]
    for key in pasts.keys() & servers.keys():
        servers[key].since, servers[key].transitions = pasts[key]
