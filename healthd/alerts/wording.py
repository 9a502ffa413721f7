"""What a message says, in words. Pure: from folded events to a headline and to text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from healthd.alerts.batch import Batch, Line, Subject
from healthd.alerts.endings import BEGINNINGS, closes
from healthd.alerts.notices import span
from healthd.events import Event, one_line

HEADLINE_LIMIT = 160
"""Characters; what does not fit stands in the text below."""

SHOWN_LINES = 100
"""Subjects in one message; of the others there is a count. What is worst stands first, so these are the least grave."""

SHOWN_EVENTS = 6
"""Of a line with more events than this, the first and the last are shown and the others counted."""

PHRASES: Mapping[str, tuple[str, str]] = {
    "server_down": ("server {server} down", "{n} servers down"),
    "server_up": ("server {server} up", "{n} servers up"),
    "server_up after all": ("server {server} down and up again", "{n} servers down and up again"),
    "server_admitted": ("server {server} admitted", "{n} servers admitted"),
    "weight_changed": ("server {server} asks for another weight", "{n} servers ask for other weights"),
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
    "maintenance_began": ("server {server} in maintenance", "{n} servers in maintenance"),
    "maintenance_ended": ("server {server} out of maintenance", "{n} servers out of maintenance"),
    "drain_began": ("server {server} drained", "{n} servers drained"),
    "drain_ended": ("server {server} no longer drained", "{n} servers no longer drained"),
    "stopped": ("healthd stopped", "healthd stopped {n} times"),
    "server_flapping": ("server {server} is flapping", "{n} servers are flapping"),
    "server_steady": ("server {server} is stable again, and up", "{n} servers are stable again, and up"),
    "server_steady_down": ("server {server} is stable again, and down", "{n} servers are stable again, and down"),
    "withdrawn": ("no longer in the configuration", "{n} failures are no longer in the configuration"),
    "heartbeat": ("healthd is running", "healthd is running"),
    "test": ("a test of this alert", "{n} tests of this alert"),
}
"""For each kind of event what one and what several lines that end with it are called; for others its own text."""


def headline(batch: Batch) -> str:
    """`web: server 10.0.0.1:80 down`, or `5 events: 3 servers down, web has no server left`."""
    lines = batch.lines()
    if len(lines) == 1:
        return one_line(_told(lines[0], batch, separator=": "), HEADLINE_LIMIT)
    return one_line(f"{len(batch.events)} events: " + ", ".join(_parts(lines, batch)), HEADLINE_LIMIT)


def _parts(lines: Iterable[Line], batch: Batch) -> Iterable[str]:
    groups: dict[tuple[str, bool], list[Line]] = {}
    for line in lines:
        groups.setdefault((_state(line), line.subject in batch.reminders), []).append(line)
    for (state, again), group in groups.items():
        if len(group) == 1:
            yield _told(group[0], batch, separator=" ")
        else:
            many = PHRASES[state][1] if state in PHRASES else f"{state.replace('_', ' ')} {{n}} times"
            yield ("still " if again else "") + many.format(n=len(group))


def _state(line: Line) -> str:
    after_all = f"{line.last.kind} after all"
    before = BEGINNINGS.get(line.last.kind)
    went_back = after_all in PHRASES and any(event.kind == before for event in line.events)
    return after_all if went_back else line.last.kind


def told(line: Line, batch: Batch) -> str:
    """One subject of a message in a few words."""
    return one_line(_told(line, batch, separator=": "), HEADLINE_LIMIT)


def _told(line: Line, batch: Batch, *, separator: str) -> str:
    event, state = line.last, _state(line)
    if state not in PHRASES:
        return event.text()
    names = {name: getattr(event, name, "") for name in ("server", "fallback", "worker")}
    phrase = PHRASES[state][0].format_map(names)
    counted = BEGINNINGS[event.kind] if state != event.kind else event.kind
    times = sum(other.kind == counted for other in line.events)
    often = f" ({times} times)" if times > 1 else ""
    still = "still " if line.subject in batch.reminders else ""
    return f"{still}{event.service}{separator if event.service else ''}{phrase}{often}{lasted(line, batch.since)}"


def lasted(line: Line, since: Mapping[Subject, float]) -> str:
    """` after 3m 20s` for the end of a failure that an earlier message told of."""
    began = since.get(line.subject)
    if began is None or not closes(line.last) or began >= line.events[0].at:
        return ""
    return f" after {span(line.last.at - began)}"


def body(batch: Batch, host: str) -> str:
    """Lines of text: every event with its time, evidence and table edits; what was folded stands below its sum."""
    folded = batch.lines()
    lines = [text for line in folded[:SHOWN_LINES] for text in _paragraph(line, batch)]
    if len(folded) > SHOWN_LINES:
        lines += ["", f"... and {len(folded) - SHOWN_LINES} more. healthd status shows what is wrong now."]
    lines += [text for note in notes(batch) for text in ("", note)]
    return "\n".join([*lines, "", f"-- healthd on {one_line(host)}, alert {one_line(batch.alert)}", ""])


def notes(batch: Batch) -> list[str]:
    """What the reader has to know of earlier messages."""
    found = []
    if batch.held:
        were = "message was" if batch.held == 1 else "messages were"
        found.append(
            f"{batch.held} {were} held back by the limit on messages; what they would have said is in this one."
        )
    if batch.lost:
        found.append(lost_note(batch.lost))
    return found


def lost_note(count: int) -> str:
    are = "event is" if count == 1 else "events are"
    return f"{count} earlier {are} in no message: not delivered, or too many were waiting. The log of healthd has them."


def _paragraph(line: Line, batch: Batch) -> list[str]:
    if len(line.events) == 1:
        still = "still: " if line.subject in batch.reminders else ""
        return [_dated(line.last, f"{still}{line.last.text()}{lasted(line, batch.since)}", line.severity.name)]
    summed = f"{_told(line, batch, separator=': ')}; {len(line.events)} events since {local_time(line.events[0].at)}:"
    return [_dated(line.last, summed, line.severity.name), *(f"    {text}" for text in _shortened(line.events))]


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
