"""A message for programs: as JSON with everything, and as a handful of named texts. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from healthd.alerts.batch import Batch, Line
from healthd.alerts.endings import closes
from healthd.alerts.wording import body, headline, local_time

KEY_LIMIT = 255
"""Characters of a key that every receiver takes."""


def document(batch: Batch, host: str) -> bytes:
    """Event by event: encoding hundreds of them in one call would hold up the event loop from another thread."""
    content = {
        "id": batch.id,
        "alert": batch.alert,
        "host": host,
        "text": headline(batch),
        "lost": batch.lost,
        "held": batch.held,
    }
    events = ", ".join(json.dumps(event.record()) for event in batch.events)
    return f'{json.dumps(content)[:-1]}, "events": [{events}]}}'.encode()


def essentials(batch: Batch) -> Mapping[str, str]:
    """The most important subject of the message; `old` and `new` span everything that it tells of that."""
    line = batch.lines()[0]
    first, last = line.events[0], line.last
    return {
        "alert": batch.alert,
        "event": last.kind,
        "service": last.service,
        "server": str(getattr(last, "server", "")),
        "old": str(getattr(first, "old", "")),
        "new": str(getattr(last, "new", "")),
        "severity": last.severity.name.lower(),
        "text": last.text() if len(batch.events) == 1 else headline(batch),
        "count": str(len(batch.events)),
    }


def fields(batch: Batch, host: str) -> Mapping[str, str]:
    """What a template may name."""
    line = batch.lines()[0]
    return {
        **essentials(batch),
        "headline": headline(batch),
        "body": body(batch, host),
        "host": host,
        "id": batch.id,
        "key": key_of(line, host),
        "status": status_of(line),
        "time": local_time(batch.at),
        "lost": str(batch.lost),
        "held": str(batch.held),
    }


def key_of(line: Line, host: str) -> str:
    """The same for a failure and its end, and different for all else."""
    key = "/".join(("healthd", host, *line.subject))
    if len(key) <= KEY_LIMIT:
        return key
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{key[: KEY_LIMIT - len(digest) - 1]}-{digest}"


def status_of(line: Line) -> str:
    return "resolved" if closes(line.last) else "firing"
