"""How the controller's memory is shown: frozen views of its records."""

from __future__ import annotations

from collections.abc import Generator

from healthd import snapshot
from healthd.policy import Decision
from healthd.state import CheckRecord, ServerRecord, ServiceRecord
from healthd.verdict import Health, contrary_of

SLICE = 100
"""Servers that are shown in one go: about a millisecond."""


def finished(slices: Generator[None, None, snapshot.Snapshot]) -> snapshot.Snapshot:
    """What it gives in the end, without the pauses."""
    while True:
        try:
            next(slices)
        except StopIteration as done:
            whole: snapshot.Snapshot = done.value
            return whole


def service_view(record: ServiceRecord, decision: Decision, now: float) -> Generator[None, None, snapshot.ServiceView]:
    """The service at the monotonic time `now`, with a pause after every `SLICE` servers."""
    servers: list[snapshot.ServerView] = []
    for number, server in enumerate(list(record.servers.values()), 1):
        servers.append(_server_view(server, decision, now))
        if number % SLICE == 0:
            yield
    return snapshot.ServiceView(
        name=record.config.name,
        virtual=record.config.key.label,
        standing=decision.standing,
        available=decision.available,
        fallback_active=decision.fallback_active,
        fail_open=decision.fail_open,
        servers=tuple(servers),
        scheduler=record.config.options.scheduler,
        min_available=record.config.min_available,
        fallback=str(record.config.fallback.endpoint) if record.config.fallback else "",
        tally=record.tally.view,
    )


def _server_view(record: ServerRecord, decision: Decision, now: float) -> snapshot.ServerView:
    endpoint = record.config.endpoint
    destination = decision.virtual.destinations.get(endpoint)
    return snapshot.ServerView(
        address=endpoint.address,
        port=endpoint.port,
        health=record.health,
        weight=None if destination is None else destination.weight,
        configured_weight=record.config.destination.weight,
        checks=tuple(_check_view(check, now) for check in record.checks),
        override=record.override,
        since=record.since,
        transitions=record.transitions,
        told=record.event,
        degraded=record.weighed.degraded and record.health is Health.UP,
    )


def _check_view(record: CheckRecord, now: float) -> snapshot.CheckView:
    verdict = record.verdict
    return snapshot.CheckView(
        name=record.config.name,
        health=verdict.health,
        settled=verdict.settled,
        last=record.last,
        unknowns=record.unknowns,
        kind=record.config.kind,
        progress=_progress(record),
        age=None if record.last is None else now - record.last_at,
        cause=record.cause,
        adds_up=record.config.checker.adds_up,
    )


def _progress(record: CheckRecord) -> str:
    verdict = record.verdict
    if not verdict.recent:
        return ""
    contrary = contrary_of(verdict.health)
    threshold = record.config.fall if verdict.health is Health.UP else record.config.rise
    return f"{sum(outcome.status is contrary for outcome in verdict.recent)}/{threshold.count}"
