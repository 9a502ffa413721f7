"""What operators have set for single servers, on top of what the configuration and the checks say. Values only.

A *drained* server keeps its place in the table at weight 0: connections end in peace, new ones go elsewhere. One in
*maintenance* stands in the table like one that is down, and nobody is alarmed by what its checks find. Either can be
*cut* from the table. A weight that was set stands in for the configured one.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from healthd.model import MAX_WEIGHT


class Admin(enum.StrEnum):
    READY = "ready"
    DRAIN = "drain"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True)
class SetWeight:
    """A weight that an operator has set: a number, or with `percent` a share of the configured one.

    Who set it, when and why is kept for when it outlasts a drain or a maintenance that somebody else has set.
    """

    value: int
    percent: bool = False
    since: float = field(default=0.0, compare=False)
    who: str = field(default="", compare=False)
    reason: str = field(default="", compare=False)

    def of(self, configured: int) -> int:
        """The weight that this means; a share above nothing of a weight above 0 is at least 1."""
        if not self.percent:
            return self.value
        share = (configured * self.value + 50) // 100
        return min(MAX_WEIGHT, max(share, 1) if configured and self.value else share)

    def __str__(self) -> str:
        return f"{self.value}%" if self.percent else str(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """`since` and `until` are wall-clock time, seconds since the epoch; `until` None means until somebody ends it.

    While it is held, `since`, `who` and `reason` are about that, and else about its weight.
    """

    admin: Admin = Admin.READY
    weight: SetWeight | None = None
    cut: bool = False
    since: float = 0.0
    until: float | None = None
    who: str = ""
    reason: str = ""

    @property
    def hold(self) -> tuple[Admin, bool, float, float | None, str, str]:
        """What it is apart from its weight."""
        return self.admin, self.cut, self.since, self.until, self.who, self.reason

    @property
    def held(self) -> bool:
        """True while the server is to get no new connections, however well it is."""
        return self.admin is not Admin.READY


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """The table is only looked at, not edited."""

    since: float
    until: float | None
    who: str
    reason: str
