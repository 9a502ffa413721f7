"""A message in the form of what keeps incidents: PagerDuty and Alertmanager. Pure.

Both know a failure by a key of its own, and are told of its end with the same key.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from checkers.base import Outcome
from healthd.alerts.batch import Batch, Line
from healthd.alerts.document import key_of
from healthd.alerts.endings import closes, opens
from healthd.alerts.notices import Heartbeat, Trial
from healthd.alerts.wording import told
from healthd.events import Event, Severity, one_line

PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue"
SUMMARY_LIMIT = 1024
MISSED = 4
"""How many times in a row Alertmanager may miss the repetition of a failure before it takes it to be over."""
PASSING_SECONDS = 300.0
"""For how long Alertmanager shows what has no end of its own, such as a refused configuration."""
TEST_SECONDS = 60.0

_PAGERDUTY = {Severity.CRITICAL: "critical", Severity.WARNING: "warning", Severity.INFO: "info"}
_ALERTS = {
    "server": ("HealthdServerDown", Severity.WARNING),
    "service": ("HealthdServiceLost", Severity.CRITICAL),
    "fallback": ("HealthdFallbackActive", Severity.CRITICAL),
    "table": ("HealthdTableError", Severity.CRITICAL),
}
"""Name and severity by the subject: both are labels, and labels are the same for a failure and its end."""


def pagerduty(line: Line, batch: Batch, host: str, routing_key: str, *, resolve: bool) -> bytes:
    """One event: https://developer.pagerduty.com/docs/events-api-v2/trigger-events (and `resolve` there)."""
    last = line.last
    event: dict[str, object] = {
        "routing_key": routing_key,
        "event_action": "resolve" if resolve else "trigger",
        "dedup_key": key_of(line, host),
        "client": "healthd",
    }
    if not resolve:
        payload = {
            "summary": one_line(told(line, batch), SUMMARY_LIMIT),
            "source": host,
            "severity": _PAGERDUTY[line.severity],
            "timestamp": _stamp(last.at),
            "component": getattr(last, "server", "") or last.service or "healthd",
            "group": last.service or "healthd",
            "class": _code(last) or last.kind,
            "custom_details": {"text": one_line(last.text()), "alert": batch.alert, "events": len(line.events)},
        }
        event["payload"] = payload
    return json.dumps(event).encode()


def pagerduty_actions(line: Line) -> tuple[bool, ...]:
    """Which events a line is, by whether they resolve: one, and a test takes itself back."""
    return (False, True) if isinstance(line.last, Trial) else (bool(closes(line.last)),)


def alertmanager(batch: Batch, host: str, now: float, refresh: float) -> bytes:
    """The body of POST /api/v2/alerts. Failures last until told otherwise, or until they are no longer repeated."""
    return (
        b"[" + b",".join(json.dumps(_alert(line, batch, host, now, refresh)).encode() for line in batch.lines()) + b"]"
    )


def _alert(line: Line, batch: Batch, host: str, now: float, refresh: float) -> dict[str, object]:
    last = line.last
    kind = line.subject[0]
    name, severity = _ALERTS.get(kind, ("Healthd" + "".join(map(str.capitalize, kind.split("_"))), last.severity))
    began = min(batch.since.get(line.subject, line.events[0].at), now)
    labels = {
        "alertname": "HealthdRunning" if isinstance(last, Heartbeat) else name,
        "severity": severity.name.lower(),
        "director": host,
        "service": last.service,
        "server": getattr(last, "server", "") or (line.subject[2] if kind == "server" else ""),
        "fallback": getattr(last, "fallback", "") or (line.subject[2] if kind == "fallback" else ""),
    }
    ends = max(began, _end(last, now, refresh))
    return {
        "labels": {label: value for label, value in labels.items() if value},
        "annotations": {"summary": told(line, batch), "description": one_line(last.text())},
        "startsAt": _stamp(began),
        "endsAt": _stamp(ends),
    }


def _end(event: Event, now: float, refresh: float) -> float:
    if closes(event):
        return min(event.at, now)
    if isinstance(event, Trial):
        return now + TEST_SECONDS
    if isinstance(event, Heartbeat):
        return now + MISSED * event.every
    return now + (MISSED * refresh if opens(event) else PASSING_SECONDS)


def _code(event: Event) -> str:
    outcomes = getattr(event, "outcomes", ())
    return str(outcomes[-1].code) if outcomes and isinstance(outcomes[-1], Outcome) else ""


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
