"""What a message says, in words. Pure: from folded events to a headline and to text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from healthd.alerts.batch import Batch, Line
from healthd.events import Event, one_line

HEADLINE_LIMIT = 160
"""Characters; what does not fit stands in the text below."""

SHOWN_EVENTS = 6
"""Of a line with more events than this, the first and the last are shown and the others counted."""

PHRASES: Mapping[str, tuple[str, str]] = {
    "server_down": ("server {server} down", "{n} servers down"),
    "server_up": ("server {server} up", "{n} servers up"),
    "server_up after all": ("server {server} down and up again", "{n} servers down and up again"),
    "server_admitted": ("server {server} admitted", "{n} servers admitted"),
    "service_lost": ("has no server left", "{n} services have no server left"),
    "service_recovered": ("has a server again", "{n} services have a server again"),
    "service_recovered after all": (
        "had no server left and has one again",
        "{n} services had no server left and have one again",
    ),
    "fallback_in": ("fallback server {fallback} in use", "{n} fallback servers in use"),
    "fallback_out": ("fallback server {fallback} withdrawn", "{n} fallback servers withdrawn"),
    "fallback_out after all": (
        "fallback server {fallback} in use and withdrawn again",
        "{n} fallback servers in use and withdrawn again",
    ),
    "check_unknown": ("server {server} could not be checked", "{n} checks could not be carried out"),
    "worker_lost": ("{worker} lost", "{n} worker processes lost"),
    "table_edited": ("table edited", "table edited {n} times"),
    "table_drift": ("table changed by someone else", "table changed by someone else {n} times"),
    "table_error": ("table not as it should be", "{n} table errors"),
    "table_restored": ("table as it should be again", "table as it should be again"),
    "table_restored after all": ("table was not as it should be, and is again", "table as it should be again"),
    "reloaded": ("configuration reloaded", "configuration reloaded {n} times"),
    "reload_failed": ("configuration not reloaded", "configuration not reloaded {n} times"),
    "started": ("healthd started", "healthd started {n} times"),
    "stopped": ("healthd stopped", "healthd stopped {n} times"),
}
"""For each kind of event what one and what several lines that end with it are called."""

OPPOSITES: Mapping[str, str] = {
    "server_up": "server_down",
    "service_recovered": "service_lost",
    "fallback_out": "fallback_in",
    "table_restored": "table_error",
}
"""A line that ends with the first and holds the second too tells of both: `after all`."""


def headline(batch: Batch) -> str:
    """`web: server 10.0.0.1:80 down`, or `5 events: 3 servers down, web has no server left`."""
    lines = batch.lines()
    if len(lines) == 1:
        return one_line(_told(lines[0], separator=": "), HEADLINE_LIMIT)
    return one_line(f"{len(batch.events)} events: " + ", ".join(_parts(lines)), HEADLINE_LIMIT)


def _parts(lines: Iterable[Line]) -> Iterable[str]:
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(_state(line), []).append(line)
    for state, group in groups.items():
        yield _told(group[0], separator=" ") if len(group) == 1 else PHRASES[state][1].format(n=len(group))


def _state(line: Line) -> str:
    before = OPPOSITES.get(line.last.kind)
    went_back = any(event.kind == before for event in line.events)
    return f"{line.last.kind} after all" if went_back else line.last.kind


def _told(line: Line, *, separator: str) -> str:
    event = line.last
    names = {name: getattr(event, name, "") for name in ("server", "fallback", "worker")}
    phrase = PHRASES[_state(line)][0].format_map(names)
    counted = OPPOSITES[event.kind] if _state(line) != event.kind else event.kind
    times = sum(other.kind == counted for other in line.events)
    often = f" ({times} times)" if times > 1 else ""
    return f"{event.service}{separator if event.service else ''}{phrase}{often}"


def body(batch: Batch, host: str) -> str:
    """Lines of text: every event with its time, evidence and table edits; what was folded stands below its sum."""
    lines = [text for line in batch.lines() for text in _paragraph(line)]
    if batch.lost:
        lines += ["", lost_note(batch.lost)]
    return "\n".join([*lines, "", f"-- healthd on {one_line(host)}, alert {one_line(batch.alert)}", ""])


def lost_note(count: int) -> str:
    are = "event is" if count == 1 else "events are"
    return f"{count} earlier {are} in no message: not delivered, or too many were waiting. The log of healthd has them."


def _paragraph(line: Line) -> list[str]:
    if len(line.events) == 1:
        return [_dated(line.last, line.last.text(), line.severity.name)]
    told = f"{_told(line, separator=': ')}; {len(line.events)} events since {local_time(line.events[0].at)}:"
    return [_dated(line.last, told, line.severity.name), *(f"    {text}" for text in _shortened(line.events))]


def _shortened(events: Sequence[Event]) -> list[str]:
    texts = [_dated(event, event.text(), event.severity.name) for event in events]
    if len(texts) <= SHOWN_EVENTS:
        return texts
    half = SHOWN_EVENTS // 2
    return [*texts[:half], f"... {len(texts) - 2 * half} more ...", *texts[-half:]]


def _dated(event: Event, text: str, severity: str) -> str:
    return f"{local_time(event.at)} {severity} {one_line(text)}"


def local_time(at: float) -> str:
    return datetime.fromtimestamp(at, tz=UTC).astimezone().isoformat(timespec="seconds")
