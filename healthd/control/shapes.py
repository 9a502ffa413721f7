"""How what is known looks in JSON. Pure: frozen views in, plain dictionaries out.

Points in time are seconds since the epoch, ages and durations are seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from typing import Any

from checkers.base import Outcome
from healthd.events import outcome_record
from healthd.model import Connections
from healthd.overrides import Freeze, Override
from healthd.policy import Standing
from healthd.schedulerview import SchedulerView
from healthd.snapshot import STATES, CheckView, ServerView, ServiceView, Snapshot

Json = dict[str, Any]

COUNTED_AT_ONCE = 1000


def server(service: str, view: ServerView, counted: Connections | None) -> Json:
    deciding = view.deciding
    return {
        "service": service,
        "name": view.name,
        "address": view.address,
        "port": view.port,
        "state": view.state,
        "health": view.health.value,
        "degraded": view.degraded,
        "progress": deciding.progress if deciding else "",
        "weight": view.weight,
        "configured_weight": view.configured_weight,
        "active": counted.active if counted else None,
        "inactive": counted.inactive if counted else None,
        "persistent": counted.persistent if counted else None,
        "since": view.since,
        "transitions": view.transitions,
        "reason": view.reason,
        "override": override(view.override),
        "checks": [check(each) for each in view.checks],
    }


def check(view: CheckView) -> Json:
    return {
        "name": view.name,
        "kind": view.kind,
        "health": view.health.value,
        "settled": view.settled,
        "progress": view.progress,
        "unknowns": view.unknowns,
        "age": None if view.age is None else round(view.age, 3),
        "last": outcome(view.last),
        "cause": outcome(view.cause),
        **({"adds_up": True} if view.adds_up else {}),
    }


def outcome(found: Outcome | None) -> Json | None:
    return None if found is None else outcome_record(found)


def override(held: Override | None) -> Json | None:
    if held is None:
        return None
    return {
        "admin": held.admin.value,
        "weight": None if held.weight is None else str(held.weight),
        "cut": held.cut,
        "since": held.since,
        "until": held.until,
        "who": held.who,
        "reason": held.reason,
    }


def service(view: ServiceView) -> Json:
    """Without its servers."""
    return {
        "name": view.name,
        "virtual": view.virtual,
        "scheduler": view.scheduler,
        "standing": view.standing.value,
        "available": view.available,
        "configured": len(view.servers),
        "min_available": view.min_available,
        "fallback": view.fallback,
        "fallback_active": view.fallback_active,
        "fail_open": view.fail_open,
    }


def totals(snapshot: Snapshot) -> Generator[None, None, Json]:
    """With pauses."""
    states: Counter[str] = Counter()
    for service in snapshot.services:
        for start in range(0, len(service.servers), COUNTED_AT_ONCE):
            states.update(server.state for server in service.servers[start : start + COUNTED_AT_ONCE])
            yield
    return {
        "services": len(snapshot.services),
        "servers": states.total(),
        **{state: states[state] for state in STATES},
        "fallback_active": sum(service.fallback_active for service in snapshot.services),
        "lost": sum(service.standing is Standing.LOST for service in snapshot.services),
    }


def frozen(freeze: Freeze | None) -> Json | None:
    if freeze is None:
        return None
    return {"since": freeze.since, "until": freeze.until, "who": freeze.who, "reason": freeze.reason}


def scheduler(view: SchedulerView) -> Json:
    return {
        "jobs": view.jobs,
        "checks": view.checks,
        "waiting": view.waiting,
        "too_late": view.too_late,
        "late_p50": view.lateness.p50,
        "late_p99": view.lateness.p99,
        "late_longest": view.lateness.longest,
    }
