"""What all events have in common, and how they are shown."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from checkers.base import Outcome, Status

LISTED = 20
"""Items of a list that an event's line shows; its record has them all."""


class Severity(enum.IntEnum):
    INFO = 20  # the numbers are those of the logging module
    WARNING = 30
    CRITICAL = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    at: float
    kind: ClassVar[str]
    severity: ClassVar[Severity] = Severity.INFO
    service: str = ""

    @property
    def tells_of(self) -> Sequence[tuple[str, str]]:
        """The servers that it tells of besides its own `server`, if it has one: each with its service."""
        return ()

    def text(self) -> str:
        """One line for people."""
        raise NotImplementedError

    def record(self) -> dict[str, Any]:
        """The same for programs: JSON-ready, with the fields of the event by name."""
        fields = {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}
        return {"kind": self.kind, "severity": self.severity.name.lower(), "text": self.text(), **fields}


def listed(items: Sequence[str], separator: str = "; ", most: int = LISTED) -> str:
    """The items in a line, which ten thousand servers do not make longer than people read."""
    shown = separator.join(items[:most])
    return shown if len(items) <= most else f"{shown} and {len(items) - most} more"


def outcome_record(outcome: Outcome) -> dict[str, Any]:
    """An outcome for programs; what a server wishes is only in it where it wishes anything."""
    found: dict[str, Any] = {
        "status": outcome.status.value,
        "code": outcome.code,
        "detail": outcome.detail,
        "seconds": round(outcome.seconds, 6),
    }
    if outcome.weight is not None:
        found["weight"] = outcome.weight
    if outcome.factor is not None:
        found["factor"] = outcome.factor
    if outcome.degraded:
        found["degraded"] = True
    if outcome.expires is not None:
        found["expires"] = outcome.expires
    return found


def outcome_of(record: Mapping[str, Any]) -> Outcome:
    """The outcome again.

    Raises:
        ValueError, TypeError, LookupError: the record is of none.

    """
    return Outcome(
        Status(record["status"]),
        record["code"],
        record["detail"],
        float(record["seconds"]),
        record.get("weight"),
        factor=record.get("factor"),
        degraded=record.get("degraded", False),
        expires=record.get("expires"),
    )


def _plain(value: Any) -> Any:
    match value:
        case Outcome():
            return outcome_record(value)
        case tuple() | list():
            return [_plain(item) for item in value]
        case _:
            return value
