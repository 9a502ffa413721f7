"""Why a server is in its state: the outcomes that decided, the rule by which they did, and the edits that followed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from healthd.config.values import CheckConfig, ServiceConfig
from healthd.control import shapes
from healthd.model import Threshold
from healthd.snapshot import CheckView, ServerView, ServiceView
from healthd.verdict import Health
from healthd.weights import Wish

NOTHING = "no change of it is on record: it is as it was found in the table, or not judged yet"
"""What is said where no event is known."""


def now(
    service: ServiceView, server: ServerView, config: ServiceConfig | None, event: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """`event` is the last by which its health was made known, None if nobody knows of one."""
    check = server.deciding
    acts = list(_override(server))
    text = [_state(f"{service.name}/{server.name}", server), *acts, *told(event)]
    if check is not None:
        text += _check(check)
    if server.degraded:
        text.append("it is degraded: it passes, but not as it should")
    if server.weight is None:
        text.append("it is not in the table")
    else:
        text.append(f"weight {server.weight} in the table, {server.configured_weight} configured")
    return {
        "state": server.state,
        "since": server.since,
        "acts": acts,
        "text": text,
        "event": None if event is None else dict(event),
        "rule": rule(server.health, check_of(config, check.name if check else "")),
        "edits": edits(event),
        "checks": [shapes.check(each) for each in server.checks],
    }


def word(state: str) -> str:
    """As it stands in a sentence."""
    return {"drain": "drained", "maintenance": "in maintenance"}.get(state, state)


def _state(name: str, server: ServerView) -> str:
    found = f"{server.health.value} since {time(server.since)}"
    held = server.override
    if held is None or not held.held:
        return f"{name} is {found}"
    return f"{name} is {word(server.state)} since {time(held.since)}; its checks find it {found}"


def rule(health: Health, config: CheckConfig | None) -> str:
    """What had to come so that the check's health is what it is, and what would change it."""
    if config is None:
        return "without checks a server is always up"
    match health:
        case Health.UP:
            takes = "takes" if config.fall.count == 1 else "take"
            return f"check {config.name}: {_times(config.fall, 'failure')} {takes} it out (fall = {config.fall})"
        case Health.DOWN:
            brings = "brings" if config.rise.count == 1 else "bring"
            return f"check {config.name}: {_times(config.rise, 'pass')} {brings} it back (rise = {config.rise})"
    return f"check {config.name}: its first outcome decides"


def _times(threshold: Threshold, noun: str) -> str:
    plural = {"failure": "failures", "pass": "passes"}[noun]
    counted = f"{threshold.count} {noun if threshold.count == 1 else plural}"
    if threshold.count == threshold.window:
        return counted if threshold.count == 1 else f"{counted} in a row"
    return f"{counted} among the last {threshold.window}"


def check_of(service: ServiceConfig | None, check: str) -> CheckConfig | None:
    """The check of that name, else the first."""
    checks = service.checks if service else ()
    return next((each for each in checks if each.name == check), next(iter(checks), None))


def _override(server: ServerView) -> Iterator[str]:
    held = server.override
    if held is None:
        return
    what = held.admin.value if held.held else f"weight {held.weight}"
    cut = ", and cut from the table" if held.cut else ""
    until = f" until {time(held.until)}" if held.until is not None else ""
    why = f": {held.reason}" if held.reason else ""
    yield f"set to {what} by {held.who} at {time(held.since)}{until}{cut}{why}"


def told(event: Mapping[str, Any] | None) -> Iterator[str]:
    if event is None:
        yield NOTHING
        return
    yield f"{time(event['at'])}: {event['text']}"
    for outcome in event.get("outcomes") or []:
        yield f"outcome: {_outcome(outcome)}"
    for edit in edits(event):
        yield f"table: {edit}"


def _check(check: CheckView) -> Iterator[str]:
    if check.last is not None:
        age = f" {check.age:.0f} s ago" if check.age is not None else ""
        yield f"check {check.name} last{age}: {check.last}"
        if asks := str(Wish(check.last.weight, check.last.factor, check.last.degraded, check.adds_up)):
            yield f"check {check.name}: {asks}"
    if check.progress:
        yield f"check {check.name}: {check.progress} of what it takes to change that"


def _outcome(outcome: Mapping[str, Any]) -> str:
    detail = f" ({outcome['detail']})" if outcome.get("detail") else ""
    return f"{outcome['status']} {outcome['code']}{detail} in {outcome['seconds'] * 1000:.0f} ms"


def edits(event: Mapping[str, Any] | None) -> list[str]:
    return list(event.get("edits") or []) if event else []


def time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
