"""Log lines: every event is one, as text for people or as one JSON object for programs.

Rules:

1. No text from outside can end a line or start one: what is unprintable is escaped, in messages of any library.
2. An event's line bears the time at which it happened, not that at which it was written.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from healthd.events import Bus, Event, one_line

OURS = ("healthd", "checkers", "root")

log = logging.getLogger(__name__)


def configure(log_format: Literal["text", "json"], log_level: str, stream: TextIO) -> None:
    """From now on everything that is logged in this process goes to `stream`, in one format, and nowhere else."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    root = logging.getLogger()
    for previous in list(root.handlers):
        root.removeHandler(previous)
    root.addHandler(handler)
    root.setLevel(log_level.upper())


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
        name = "" if record.name.partition(".")[0] in OURS else f"{record.name}: "
        line = f"{_time(record)} {record.levelname} {one_line(name + record.getMessage())}"
        return "\n    ".join([line, *(one_line(text) for text in _traceback(record))])


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
