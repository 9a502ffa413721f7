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

KINDS = ("server_down", "server_up", "server_admitted", "maintenance_began", "maintenance_ended", "drain_began")
"""The kinds of events after which a server is in another state."""


def now(service: ServiceView, server: ServerView, config: ServiceConfig | None) -> dict[str, Any]:
    event = server.told.record() if server.told else None
    check = server.deciding
    text = [f"{service.name}/{server.name} is {server.state} since {_time(server.since)}"]
    text += _override(server)
    text += _told(event)
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
        "text": text,
        "event": event,
        "rule": rule(server.health, _config(config, check.name if check else "")),
        "edits": _edits(event),
        "checks": [shapes.check(each) for each in server.checks],
    }


def then(
    service: ServiceView, server: ServerView, config: ServiceConfig | None, at: float, event: Mapping[str, Any] | None
) -> dict[str, Any]:
    """At the time `at`, after `event`, the last one before it that is known."""
    name = f"{service.name}/{server.name}"
    if event is None:
        text = [f"nothing is known of {name} at {_time(at)}: the history does not go back so far"]
        return {"state": "unknown", "since": None, "text": text, "event": None, "rule": "", "edits": [], "checks": []}
    state = _state_after(event)
    health = Health(event["new"]) if event.get("new") in {"up", "down"} else Health.UNDECIDED
    return {
        "state": state,
        "since": event["at"],
        "text": [f"{name} was {state} at {_time(at)}, since {_time(event['at'])}", *_told(event)],
        "event": dict(event),
        "rule": rule(health, _config(config, str(event.get("check", "")))),
        "edits": _edits(event),
        "checks": [],
    }


def rule(health: Health, config: CheckConfig | None) -> str:
    """What had to come so that the check's health is what it is, and what would change it."""
    if config is None:
        return "without checks a server is always up"
    falls, rises = _times(config.fall, "failure"), _times(config.rise, "pass")
    match health:
        case Health.UP:
            return f"check {config.name}: {falls} take it out (fall = {config.fall})"
        case Health.DOWN:
            return f"check {config.name}: {rises} bring it back (rise = {config.rise})"
    return f"check {config.name}: its first outcome decides"


def _times(threshold: Threshold, noun: str) -> str:
    plural = {"failure": "failures", "pass": "passes"}[noun]
    counted = f"{threshold.count} {noun if threshold.count == 1 else plural}"
    if threshold.count == threshold.window:
        return counted if threshold.count == 1 else f"{counted} in a row"
    return f"{counted} among the last {threshold.window}"


def _config(service: ServiceConfig | None, check: str) -> CheckConfig | None:
    checks = service.checks if service else ()
    return next((each for each in checks if each.name == check), next(iter(checks), None))


def _override(server: ServerView) -> Iterator[str]:
    held = server.override
    if held is None:
        return
    what = held.admin.value if held.held else f"weight {held.weight}"
    cut = ", and cut from the table" if held.cut else ""
    until = f" until {_time(held.until)}" if held.until is not None else ""
    why = f": {held.reason}" if held.reason else ""
    yield f"set to {what} by {held.who} at {_time(held.since)}{until}{cut}{why}"


def _told(event: Mapping[str, Any] | None) -> Iterator[str]:
    if event is None:
        yield "nothing has been told of it since healthd started: it is as it was found in the table, or undecided"
        return
    yield f"{_time(event['at'])}: {event['text']}"
    for outcome in event.get("outcomes") or []:
        yield f"outcome: {_outcome(outcome)}"
    for edit in _edits(event):
        yield f"table: {edit}"


def _check(check: CheckView) -> Iterator[str]:
    if check.last is not None:
        age = f" {check.age:.0f} s ago" if check.age is not None else ""
        yield f"check {check.name} last{age}: {check.last}"
        if asks := str(Wish(check.last.weight, check.last.factor, check.last.degraded)):
            yield f"check {check.name}: {asks}"
    if check.progress:
        yield f"check {check.name}: {check.progress} of what it takes to change that"


def _outcome(outcome: Mapping[str, Any]) -> str:
    detail = f" ({outcome['detail']})" if outcome.get("detail") else ""
    return f"{outcome['status']} {outcome['code']}{detail} in {outcome['seconds'] * 1000:.0f} ms"


def _state_after(event: Mapping[str, Any]) -> str:
    acts = {"maintenance_began": "maintenance", "drain_began": "drain"}
    return acts.get(str(event["kind"])) or str(event.get("new") or "unknown")


def _edits(event: Mapping[str, Any] | None) -> list[str]:
    return list(event.get("edits") or []) if event else []


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
