"""Batches and what receivers know as JSON, for the spool, and back. Pure.

What is read was written by healthd, perhaps an older one, or by whoever can write to its folder: it is looked at
closely, and whatever does not fit is a ValueError.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from checkers.base import Outcome
from healthd.alerts.batch import Batch
from healthd.alerts.notices import TOLD
from healthd.alerts.problem import Problem
from healthd.events import Event, outcome_of

FORMAT = 1
EVENT_LIMIT = 500


@dataclasses.dataclass(frozen=True, slots=True)
class Spooled:
    """A message of the spool, the receivers that have it already, and whether a try began that may be the only one."""

    batch: Batch
    served: frozenset[str]
    begun: bool = False


def batch_to_json(batch: Batch, served: frozenset[str], *, begun: bool = False) -> bytes:
    """Event by event: encoding hundreds of them in one call would hold up the event loop from another thread."""
    events = [json.dumps(event.record(), separators=(",", ":")) for event in batch.events]
    content = {
        "format": FORMAT,
        "id": batch.id,
        "alert": batch.alert,
        "at": batch.at,
        "lost": batch.lost,
        "held": batch.held,
        "since": [[list(about), at] for about, at in batch.since.items()],
        "reminders": [list(about) for about in batch.reminders],
        "served": sorted(served),
        "begun": begun,
    }
    return f'{json.dumps(content, separators=(",", ":"))[:-1]},"events":[{",".join(events)}]}}'.encode()


def batch_from_json(raw: bytes, *, monotonic: float, wall: float) -> Spooled:
    """The message as if it had been collected in this life of the process, as long ago as it was.

    Raises:
        ValueError: it is none.

    """
    content = _table(json.loads(raw))
    try:
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']!r}, expected {FORMAT}")
        at = float(content["at"])
        events = tuple(event_from_record(_table(record)) for record in content["events"][: EVENT_LIMIT + 1])
        if not 0 < len(events) <= EVENT_LIMIT:
            raise ValueError("no event, or too many")
        batch = Batch(
            id=str(content["id"]),
            alert=str(content["alert"]),
            events=events,
            ready=monotonic - max(0.0, wall - at),
            at=at,
            lost=int(content["lost"]),
            held=int(content["held"]),
            since={tuple(map(str, about)): float(began) for about, began in content["since"]},
            reminders=frozenset(tuple(map(str, about)) for about in content["reminders"]),
        )
        return Spooled(batch, frozenset(map(str, content["served"])), begun=bool(content.get("begun", False)))
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"no message: {error!r}") from error


def event_from_record(record: Mapping[str, Any]) -> Event:
    """The event whose `record()` this is.

    Raises:
        ValueError: it is none that this healthd knows.

    """
    kind = TOLD.get(str(record.get("kind")))
    if kind is None:
        raise ValueError(f"unknown kind of event {record.get('kind')!r}")
    fields = [each for each in dataclasses.fields(kind) if each.name in record or each.default is dataclasses.MISSING]
    values = {field.name: _value(record[field.name]) for field in fields}  # a release before this one may have had less
    for field in fields:
        if not _FITS.get(str(field.type), _anything)(values[field.name]):
            raise ValueError(f"{field.name} of {kind.kind} is no {field.type}")
    event = kind(**values)
    event.text()  # what is wrong beyond its type shows here, not when the message is put into words
    return event


def _value(value: Any) -> Any:
    match value:
        case {"status": str(), "code": str(), "detail": str(), "seconds": int() | float()} as record:
            return outcome_of(record)
        case list():
            return tuple(map(_value, value))
        case _:
            return value


def _anything(value: Any) -> bool:  # noqa: ARG001 - stands for the looks at a value
    return True


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _all_of(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, tuple) and all(isinstance(item, kind) for item in value)


_FITS: Mapping[str, Callable[[Any], bool]] = {
    "str": lambda value: isinstance(value, str),
    "int": lambda value: isinstance(value, int),
    "float": _number,
    "float | None": lambda value: value is None or _number(value),
    "Outcome": lambda value: isinstance(value, Outcome),
    "tuple[str, ...]": _all_of(str),
    "tuple[Outcome, ...]": _all_of(Outcome),
}
"""How the types of the fields of events are recognized."""


def known_to_json(told: Iterable[tuple[float, Event]], quiet: Iterable[tuple[str, str]]) -> bytes:
    """What the receivers believe to be wrong, each with when it began, and who is in maintenance."""
    failures = [json.dumps({"since": since, "failure": failure.record()}) for since, failure in told]
    content = {"format": FORMAT, "quiet": [list(pair) for pair in sorted(quiet)]}
    return f'{json.dumps(content)[:-1]}, "told": [{", ".join(failures)}]}}'.encode()


def remembered(raw: bytes) -> tuple[list[Problem], set[tuple[str, str]]]:
    """The problems that receivers were told of in an earlier life, and who was in maintenance.

    Raises:
        ValueError: it is no such list.

    """
    content = _table(json.loads(raw))
    try:
        told = [
            Problem(float(item["since"]), event_from_record(_table(item["failure"])), told=True)
            for item in content["told"]
        ]
        return told, {(str(service), str(server)) for service, server in content["quiet"]}
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"no list of failures: {error!r}") from error


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - wrong content, not a wrong call
    return value
