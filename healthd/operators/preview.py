"""What a configuration would do if it were loaded now. Pure: it decides as a reload does, and touches nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from healthd import edits
from healthd.config.values import CheckConfig, ServerConfig
from healthd.model import Endpoint, Table
from healthd.plan import Plan, diff
from healthd.state import ServiceRecord
from healthd.succession import known_under, succeeded
from healthd.verdict import Health


@dataclass(frozen=True, slots=True)
class Preview:
    """`edits` are ipvsadm commands, `effects` what becomes of services, servers and checks; `errors` why it is bad."""

    edits: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def preview(
    old: Plan, new: Plan, services: Mapping[str, ServiceRecord], actual: Table, warnings: tuple[str, ...] = ()
) -> Preview:
    """What a reload from `old` to `new` would do. `services` is the memory now, `actual` the table of both plans."""
    known = known_under(new, services)
    after = succeeded(new, known, actual, 0.0)
    desired = Table({record.config.key: record.decide().virtual for record in after.values()})
    todo = edits.diff(desired, actual, old.keys - new.keys)
    effects = list(diff(old, new).described())
    for name, record in after.items():
        effects += _effects(name, known[name], record)
    return Preview(tuple(map(str, todo)), tuple(effects), (), warnings)


def _effects(name: str, before: ServiceRecord | None, after: ServiceRecord) -> Iterator[str]:
    """What becomes of a service's servers and checks. Of a new service only what its servers start as is news."""
    if before is not None:
        if before.config.name != name:
            yield f"{name}: goes on from service {before.config.name}, which has the same virtual service"
        yield from _of_servers(name, before, after)
        yield from _of_checks(name, before.config.checks, after.config.checks)
    for endpoint, server in after.servers.items():
        was = before.servers.get(endpoint) if before is not None else None
        if server.health is Health.UNDECIDED and (was is None or was.health is not Health.UNDECIDED):
            yield f"{name}: server {endpoint} starts undecided: its first outcomes decide"


def _of_servers(name: str, before: ServiceRecord, after: ServiceRecord) -> Iterator[str]:
    old, new = _configured(before), _configured(after)
    for endpoint in old.keys() - new.keys():
        held = before.servers[endpoint].override
        forgotten = "; what an operator has set for it is forgotten" if held else ""
        yield f"{name}: server {endpoint} removed{forgotten}"
    for endpoint, server in new.items():
        if endpoint not in old:
            yield f"{name}: server {endpoint} added"
        elif server != old[endpoint]:
            was, now = old[endpoint].destination.arguments(), server.destination.arguments()
            yield f'{name}: server {endpoint} changed from "{was}" to "{now}"'


def _configured(record: ServiceRecord) -> dict[Endpoint, ServerConfig]:
    return {endpoint: server.config for endpoint, server in record.servers.items()}


def _of_checks(name: str, before: tuple[CheckConfig, ...], after: tuple[CheckConfig, ...]) -> Iterator[str]:
    old, new = {check.name: check for check in before}, {check.name: check for check in after}
    for check in old.keys() - new.keys():
        yield f"{name}: check {check} removed"
    for check, config in new.items():
        if check not in old:
            yield f"{name}: check {check} added: each server goes on as it is until it has been asked"
        elif config != old[check]:
            yield f"{name}: check {check} changed: each server goes on as it is, and its counts begin anew"
