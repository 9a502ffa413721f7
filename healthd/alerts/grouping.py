"""Which of the events that were collected together make one message. Pure.

Rules:

1. What is about one subject stays in one message.
2. Servers of one service that failed for the same cause, the code of their outcomes, are one message.
3. What concerns the service as a whole, such as its last server, goes with the first message about its servers.
4. If that makes more than a handful of messages, something bigger has failed: everything is one digest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from healthd.alerts.batch import Subject, by_subject, subject
from healthd.alerts.notices import Flapping, Steady, SteadyDown
from healthd.events import Event, ServerEvent, Severity

MOST_MESSAGES = 3
"""Messages at a time; more are one digest."""


def messages(events: Sequence[Event]) -> list[tuple[Event, ...]]:
    """`events` distributed over messages, each in the order of events."""
    keys = _keys(by_subject(events))
    if len(set(keys.values())) > MOST_MESSAGES:
        return [tuple(events)]
    groups: dict[tuple[str, str], list[Event]] = {}
    for event in events:
        groups.setdefault(keys[subject(event)], []).append(event)
    return [tuple(group) for group in groups.values()]


def _keys(subjects: Mapping[Subject, Sequence[Event]]) -> dict[Subject, tuple[str, str]]:
    """Service and cause by which each subject is grouped."""
    causes = {about: _cause(group) for about, group in subjects.items()}
    first: dict[str, str] = {}
    for about, cause in causes.items():
        if cause is not None:
            first.setdefault(about[1], cause)
    return {about: (about[1], first.get(about[1], "") if cause is None else cause) for about, cause in causes.items()}


def _cause(events: Sequence[Event]) -> str | None:
    """The code of what made the server fail, or come back; None for what is not about a server."""
    if not isinstance(events[-1], ServerEvent | Flapping | Steady | SteadyDown):
        return None
    decided = [event for event in events if isinstance(event, ServerEvent) and event.outcomes]
    failed = [event for event in decided if event.severity > Severity.INFO]
    return (failed or decided)[0].outcomes[-1].code if decided else ""
