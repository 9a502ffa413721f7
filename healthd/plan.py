"""Which check runs against which server, worked out from a configuration. Pure.

A job is one check of one server of one service. Its id is made of names only, so it survives a reload that changes
the check behind the name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NewType

from checkers.base import Target
from healthd.config.values import CheckConfig, Config, ServerConfig, ServiceConfig
from healthd.model import Endpoint, ServiceKey

JobId = NewType("JobId", str)
"""`SERVICE/ADDRESS:PORT/CHECK`."""


@dataclass(frozen=True, slots=True)
class Job:
    id: JobId
    service: str
    server: Endpoint
    check: CheckConfig
    target: Target


@dataclass(frozen=True, slots=True)
class Plan:
    services: Mapping[str, ServiceConfig]
    jobs: Mapping[JobId, Job]

    @property
    def keys(self) -> frozenset[ServiceKey]:
        return frozenset(service.key for service in self.services.values())


def job_id(service: ServiceConfig, server: Endpoint, check: CheckConfig) -> JobId:
    return JobId(f"{service.name}/{server}/{check.name}")


def make(config: Config) -> Plan:
    """The plan for a configuration: every check of every server."""
    services = {service.name: service for service in config.services}
    return Plan(services, {job.id: job for service in config.services for job in _jobs(service)})


def _jobs(service: ServiceConfig) -> Iterator[Job]:
    for server in service.servers:
        for check in service.checks:
            name = job_id(service, server.endpoint, check)
            yield Job(name, service.name, server.endpoint, check, _target(service, server, check))


def _target(service: ServiceConfig, server: ServerConfig, check: CheckConfig) -> Target:
    checker = check.checker
    return Target(
        address=checker.address or server.endpoint.address,
        port=checker.port or server.endpoint.port or checker.default_port,
        service=service.name,
        server_address=server.endpoint.address,
        server_port=server.endpoint.port,
        virtual_address=service.key.address,
        virtual_port=service.key.port,
        fwmark=service.key.fwmark,
        protocol=service.key.protocol or "fwmark",
    )


@dataclass(frozen=True, slots=True)
class Change:
    """What a reload does. `changed` jobs ask another question than before, or another server, or at another pace."""

    services_added: frozenset[str]
    services_removed: frozenset[str]
    services_changed: frozenset[str]
    jobs_added: frozenset[JobId]
    jobs_removed: frozenset[JobId]
    jobs_changed: frozenset[JobId]

    def described(self) -> tuple[str, ...]:
        named = (
            ("added", self.services_added),
            ("removed", self.services_removed),
            ("changed", self.services_changed),
        )
        return tuple(f"service {name} {what}" for what, names in named for name in sorted(names))


def diff(old: Plan, new: Plan) -> Change:
    common = old.services.keys() & new.services.keys()
    return Change(
        services_added=frozenset(new.services.keys() - old.services.keys()),
        services_removed=frozenset(old.services.keys() - new.services.keys()),
        services_changed=frozenset(name for name in common if old.services[name] != new.services[name]),
        jobs_added=frozenset(new.jobs.keys() - old.jobs.keys()),
        jobs_removed=frozenset(old.jobs.keys() - new.jobs.keys()),
        jobs_changed=frozenset(i for i in old.jobs.keys() & new.jobs.keys() if old.jobs[i] != new.jobs[i]),
    )
