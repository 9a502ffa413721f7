"""Which check runs against which server, worked out from a configuration. Pure.

A job is one check of one server of one service. Its id is made of names only, so it survives a reload that changes
the check behind the name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NewType

from checkers.base import Target
from healthd.config.values import CheckConfig, Config, ServiceConfig
from healthd.model import Endpoint, ServiceKey

JobId = NewType("JobId", str)
"""`SERVICE/ADDRESS:PORT/CHECK`."""


@dataclass(frozen=True, slots=True)
class Job:
    id: JobId
    service: str
    server: Endpoint
    check: CheckConfig
    virtual: ServiceKey

    @property
    def address(self) -> str:
        """Where the check asks: numeric, and mostly the server's own."""
        return self.check.checker.address or self.server.address

    @property
    def port(self) -> int:
        checker = self.check.checker
        return checker.port or self.server.port or checker.default_port

    @property
    def target(self) -> Target:
        """Made anew each time: a job is kept for as long as it is configured, and whom it asks by whoever asks."""
        return Target(
            address=self.address,
            port=self.port,
            service=self.service,
            server_address=self.server.address,
            server_port=self.server.port,
            virtual_address=self.virtual.address,
            virtual_port=self.virtual.port,
            fwmark=self.virtual.fwmark,
            protocol=self.virtual.protocol or "fwmark",
            route=self.check.checker.route,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    services: Mapping[str, ServiceConfig]
    jobs: Mapping[JobId, Job]

    @property
    def keys(self) -> frozenset[ServiceKey]:
        return frozenset(service.key for service in self.services.values())

    @property
    def names(self) -> dict[ServiceKey, str]:
        return {service.key: service.name for service in self.services.values()}


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
            yield Job(name, service.name, server.endpoint, check, service.key)


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
