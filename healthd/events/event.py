"""What all events have in common, and how they are shown."""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass
from typing import Any, ClassVar

from checkers.base import Outcome


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

    def text(self) -> str:
        """One line for people."""
        raise NotImplementedError

    def record(self) -> dict[str, Any]:
        """The same for programs: JSON-ready, with the fields of the event by name."""
        fields = {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}
        return {"kind": self.kind, "severity": self.severity.name.lower(), "text": self.text(), **fields}


def _plain(value: Any) -> Any:
    match value:
        case Outcome():
            return {
                "status": value.status.value,
                "code": value.code,
                "detail": value.detail,
                "seconds": round(value.seconds, 6),
            }
        case tuple() | list():
            return [_plain(item) for item in value]
        case _:
            return value
