"""Log lines: every event is one, as text for people, as one JSON object for programs, or as an entry of the journal.

Rules:

1. No text from outside can end a line or start one: what is unprintable is escaped, in messages of any library.
2. An event's line bears the time at which it happened, not that at which it was written.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TextIO

from healthd.events import Bus, Event, one_line
from healthd.systemd.journal import JOURNAL, Journal, encoded

LogFormat = Literal["text", "json", "journal"]

OURS = ("healthd", "checkers", "root")

log = logging.getLogger(__name__)


def configure(log_format: LogFormat, log_level: str, stream: TextIO, journal: Path = JOURNAL) -> str:
    """From now on everything that is logged in this process goes to one place, in one format, and nowhere else.

    That is `stream`, or with "journal" the journal that listens at the path of this name. Where none does it is
    `stream` as text after all, and what is returned says so.
    """
    handler: logging.Handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    missing = ""
    if log_format == "journal":
        try:
            handler = JournalHandler(Journal(journal), handler)
        except OSError as error:
            missing = f'log_format = "journal": no journal at {journal} ({error.strerror}), so the log goes to stderr'
    root = logging.getLogger()
    for previous in list(root.handlers):
        root.removeHandler(previous)
        if isinstance(previous, JournalHandler):
            previous.close()
    root.addHandler(handler)
    root.setLevel(log_level.upper())
    return missing


class EventLog:
    """Turns what is published from its construction on into log lines."""

    def __init__(self, bus: Bus) -> None:
        self._subscription = bus.subscribe()
        self._dropped = 0

    async def run(self) -> None:
        """Until it is cancelled; what has been published by then is still written."""
        try:
            while True:
                self._write(await self._subscription.get())
        finally:
            self.drain()

    def drain(self) -> None:
        while (event := self._subscription.get_nowait()) is not None:
            self._write(event)

    def _write(self, event: Event) -> None:
        missed = self._subscription.dropped - self._dropped
        if missed:
            self._dropped += missed
            log.error("%d events came too fast to be logged", missed)
        log.log(event.severity, "%s", event.text(), extra={"event": event})


def _event(record: logging.LogRecord) -> Event | None:
    event = getattr(record, "event", None)
    return event if isinstance(event, Event) else None


def _time(record: logging.LogRecord) -> str:
    event = _event(record)
    at = record.created if event is None else event.at
    return datetime.fromtimestamp(at, tz=UTC).astimezone().isoformat(timespec="milliseconds")


class TextFormatter(logging.Formatter):
    """`2026-11-22T03:04:05.678+00:00 WARNING message`; a traceback follows, indented, so that it begins no line."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{_time(record)} {record.levelname} {_message(record)}"


def _message(record: logging.LogRecord) -> str:
    name = "" if record.name.partition(".")[0] in OURS else f"{record.name}: "
    lines = [one_line(name + record.getMessage()), *(one_line(text) for text in _traceback(record))]
    return "\n    ".join(lines)


class JsonFormatter(logging.Formatter):
    """One object in one line: time, level, logger, message, and an event's fields under their names."""

    def format(self, record: logging.LogRecord) -> str:
        event = _event(record)
        fields: dict[str, Any] = {} if event is None else event.record()
        fields.pop("text", None)  # it is the message
        content = {
            **fields,
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if trace := _traceback(record):
            content["traceback"] = trace
        return json.dumps(content, default=str)


def _traceback(record: logging.LogRecord) -> list[str]:
    if not record.exc_info or record.exc_info[0] is None:
        return []
    return logging.Formatter().formatException(record.exc_info).splitlines()


class JournalHandler(logging.Handler):
    """Hands entries to the journal without ever waiting for it.

    What it does not take because it does not keep up is left out and counted. While it cannot be reached, lines go to
    `otherwise`.
    """

    def __init__(self, journal: Journal, otherwise: logging.Handler) -> None:
        super().__init__()
        self._journal = journal
        self._otherwise = otherwise
        self._left_out = 0

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if self._left_out:
                text = f"{self._left_out} log entries are missing here: the journal did not keep up"
                self._journal.send(encoded([*_HEAD, ("PRIORITY", "3"), ("MESSAGE", text)]))
                self._left_out = 0
            self._journal.send(encoded(journal_fields(record)))
        except BlockingIOError:
            self._left_out += 1
        except OSError:
            self._otherwise.handle(record)
        except (TypeError, ValueError):  # the message and its arguments do not fit: no reason to end anything
            self.handleError(record)

    def close(self) -> None:
        self._journal.close()
        super().close()


_HEAD = (("SYSLOG_IDENTIFIER", "healthd"),)
_PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6}
"""The numbers of syslog(3) for the levels; what is less than these is 7, debug."""


def journal_fields(record: logging.LogRecord) -> Iterator[tuple[str, str]]:
    """An event's fields are `HEALTHD_` and their name in capitals; one that is a list comes once for each item."""
    yield from _HEAD
    yield "PRIORITY", str(_PRIORITIES.get(record.levelno, 7))
    yield "MESSAGE", _message(record)
    yield "HEALTHD_LOGGER", record.name
    event = _event(record)
    if event is None:
        return
    fields = event.record()
    for known in ("text", "severity", "at"):
        fields.pop(known)  # they are MESSAGE, PRIORITY and the next line
    yield "HEALTHD_TIME", _time(record)
    for name, value in fields.items():
        for each in value if isinstance(value, list) else [value]:
            yield from _journal_field(f"HEALTHD_{name.upper()}", each)


def _journal_field(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):  # an outcome: HEALTHD_CODE, HEALTHD_DETAIL and the like
        for inner, each in value.items():
            yield from _journal_field(f"HEALTHD_{inner.upper()}", each)
    elif value not in ("", None):
        yield name, str(value)
