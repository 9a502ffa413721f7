"""What goes between an operator and healthd: the order with who gives it, what was done, or why it was not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from healthd.model import MAX_WEIGHT, Endpoint
from healthd.operators.selecting import is_pattern
from healthd.overrides import SetWeight
from healthd.printable import one_line

LONGEST_WHO = 100
LONGEST_REASON = 500
LONGEST_TIME = 366 * 86400.0
LONGEST_SELECTOR = 300
MOST_PATTERNS = 20
"""Each is compared with every server there is, and the checks have to wait for that."""

MOST_PERCENT = 1000

Status = Literal["not_found", "conflict", "invalid"]


class Refused(Exception):  # noqa: N818 - named for what happened
    """An order that was not carried out, nothing of it. The messages say what to do instead."""

    def __init__(self, status: Status, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.status: Status = status
        self.messages = messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """`who` gives it and why; with `force` it may leave a service below its `min_available`."""

    who: str
    reason: str = ""
    force: bool = False

    @property
    def printable(self) -> Order:
        """The same with texts that can stand in a line of the audit trail."""
        return replace(self, who=one_line(self.who, LONGEST_WHO), reason=one_line(self.reason, LONGEST_REASON))


@dataclass(frozen=True, slots=True)
class Done:
    """One text per server, in words, and the edits of the table that follow, as ipvsadm commands.

    `failed` are texts too, of what was tried and did not succeed.
    """

    texts: tuple[str, ...]
    servers: tuple[tuple[str, Endpoint], ...] = ()
    edits: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


def listed(selector: str | Sequence[str]) -> tuple[str, ...]:
    """The single selectors; several are separated by commas or stand in a list.

    Raises:
        Refused: there is none, or one that nothing can be called.

    """
    given = [selector] if isinstance(selector, str) else selector
    found = tuple(part.strip() for text in given for part in text.split(",") if part.strip())
    if not found:
        raise Refused("invalid", 'no server is named; say "SERVICE/SERVER", "SERVER" or "SERVICE/*"')
    for name in found:
        if not name.isprintable() or len(name) > LONGEST_SELECTOR:
            raise Refused("invalid", f'"{one_line(name, LONGEST_REASON)}" can be no server\'s name')
    if sum(is_pattern(name) for name in found) > MOST_PATTERNS:
        raise Refused("invalid", f"at most {MOST_PATTERNS} patterns at a time")
    return found


def check_time(name: str, seconds: float | None) -> None:
    """Whether it is a time that something can last.

    Raises:
        Refused: it is none.

    """
    if seconds is not None and not (math.isfinite(seconds) and 0 < seconds <= LONGEST_TIME):
        raise Refused("invalid", f"{name} must be more than 0 and at most {LONGEST_TIME:.0f} seconds, not {seconds:g}")


def check_weight(weight: SetWeight | None) -> None:
    """Whether the kernel could take it.

    Raises:
        Refused: it could not.

    """
    most, unit = (MOST_PERCENT, "%") if weight and weight.percent else (MAX_WEIGHT, "")
    if weight is not None and not 0 <= weight.value <= most:
        raise Refused("invalid", f"weight must be from 0{unit} to {most}{unit}, not {weight}")
