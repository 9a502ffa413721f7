"""What an administrator should see first, in lines for people. Empty while nothing is out of the ordinary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from healthd.control.sources import Record, Sources, TableView
from healthd.overrides import Freeze
from healthd.policy import Standing
from healthd.schedulerview import SchedulerView
from healthd.snapshot import Snapshot

LATE = 0.1
"""Seconds: from here on checks are said to start late."""
LATELY = 600.0
"""Seconds for which a repaired edit by somebody else is worth a line."""


def lines(
    sources: Sources, snapshot: Snapshot, alerts: Iterable[Record], counting: str, newest: Mapping[str, float]
) -> Iterator[str]:
    """`counting` says why connections cannot be counted; `newest` when an event of each kind happened last."""
    yield from _healthd(sources, newest)
    if snapshot.frozen:
        yield _frozen(snapshot.frozen)
    yield from _services(snapshot)
    yield from _table(sources.table(), counting, snapshot.at - newest.get("table_drift", 0.0))
    yield from _scheduler(sources.scheduler())
    if sources.history is not None and sources.history.error:
        yield f"history is not kept: {sources.history.error}"
    yield from _alerts(alerts)


def _healthd(sources: Sources, newest: Mapping[str, float]) -> Iterator[str]:
    if stalled := sources.stalled():
        yield f"healthd does not advance: {stalled}"
    if newest.get("reload_failed", 0.0) > newest.get("reloaded", 0.0):
        yield "the last reload failed: the configuration on the disk is not the one in use"


def _frozen(freeze: Freeze) -> str:
    until = f" until {_time(freeze.until)}" if freeze.until is not None else ""
    why = f": {freeze.reason}" if freeze.reason else ""
    return f"frozen by {freeze.who} since {_time(freeze.since)}{until}{why}; the table is not edited"


def _services(snapshot: Snapshot) -> Iterator[str]:
    for service in snapshot.services:
        if service.standing is Standing.LOST and not service.fallback_active:
            yield f"{service.name}: no real server available" + ("; all stand in" if service.fail_open else "")
        elif service.fallback_active:
            yield f"{service.name}: fallback server {service.fallback} is active"
        elif service.standing is not Standing.STARTING and service.available < service.min_available:
            yield f"{service.name}: {service.available} available, fewer than min_available = {service.min_available}"


def _table(table: TableView, counting: str, drifted: float) -> Iterator[str]:
    for error in table.errors:
        yield f"table not as it should be: {error}"
    if table.pending:
        count = len(table.pending)
        yield f"table: {count} edit{'' if count == 1 else 's'} held back while it is frozen"
    if drifted < LATELY:
        yield f"table: somebody else edited it {drifted:.0f} s ago"
    if counting:
        yield f"connections cannot be counted: {counting}"


def _scheduler(view: SchedulerView) -> Iterator[str]:
    if view.waiting:
        yield f"{view.waiting} checks wait for a file descriptor"
    if view.lateness.p99 > LATE:
        yield f"checks start late: one in a hundred by more than {view.lateness.p99:.2f} s"


def _alerts(alerts: Iterable[Record]) -> Iterator[str]:
    for alert in alerts:
        if alert.get("last_error"):
            yield f"alert {alert.get('name')}: {alert['last_error']}; {alert.get('queued', 0)} queued"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
