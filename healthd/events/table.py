"""The kinds of event of the kernel's table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from healthd.events.event import Event, Severity, listed


@dataclass(frozen=True, slots=True, kw_only=True)
class TableEvent(Event):
    """`about` names the servers that it tells of, as `SERVICE/SERVER`, and services themselves, as `SERVICE/`."""

    about: tuple[str, ...] = ()

    @property
    def tells_of(self) -> Sequence[tuple[str, str]]:
        return [(service, server) for service, _, server in (name.rpartition("/") for name in self.about)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableEdited(TableEvent):
    """Edits that were carried out, as ipvsadm commands."""

    kind = "table_edited"
    edits: tuple[str, ...]

    def text(self) -> str:
        return "table edited: " + listed(self.edits, ", ")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDrift(TableEvent):
    """Somebody else changed a service that healthd owns. It is repaired, unless an operator has `frozen` the table."""

    kind = "table_drift"
    severity = Severity.WARNING
    differences: tuple[str, ...]
    frozen: bool = False

    def text(self) -> str:
        follows = "left so while it is frozen" if self.frozen else "repairing"
        return f"table was changed by someone else, {follows}: " + listed(self.differences)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableError(TableEvent):
    """Edits were refused, or the table cannot be reached; they are tried again in `retry_in` seconds."""

    kind = "table_error"
    severity = Severity.CRITICAL
    errors: tuple[str, ...]
    retry_in: float

    def text(self) -> str:
        return f"table not as it should be, next try in {self.retry_in:g} s: " + listed(self.errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRestored(Event):
    """The table is as it should be again after an error."""

    kind = "table_restored"

    def text(self) -> str:
        return "table is as it should be again"
