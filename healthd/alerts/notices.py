"""Events that alerts make themselves: what an operator has to know that no single event of healthd's says.

They are told like any other, but are no names for `events` in a configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from healthd.events import KINDS, Event, Severity


def span(seconds: float) -> str:
    """`45s`, `3m 20s`, `2h 5m`, `3d 4h`: no more exact than people read it."""
    whole = max(0, round(seconds))
    for size, unit, smaller, name in ((86400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size}{unit}" + (f" {rest}{name}" if rest else "")
    return f"{whole}s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flapping(Event):
    """Told in place of the failure that is one too many; what the server does from then on is not told one by one."""

    kind = "server_flapping"
    severity = Severity.WARNING
    server: str
    failures: int
    seconds: float
    evidence: str
    calm: float

    def text(self) -> str:
        often = f"{self.failures} failures in {span(self.seconds)}"
        silence = f"nothing more is told until it has kept one state for {span(self.calm)}"
        return f"{self.service}: server {self.server} is flapping: {often}, the last {self.evidence}; {silence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady(Event):
    """The end of flapping, with a server that is well."""

    kind = "server_steady"
    server: str

    def text(self) -> str:
        return f"{self.service}: server {self.server} is stable again, and up"


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyDown(Event):
    """The end of flapping, with a server that stays down."""

    kind = "server_steady_down"
    severity = Severity.WARNING
    server: str
    evidence: str

    def text(self) -> str:
        return f"{self.service}: server {self.server} is stable again, and down: {self.evidence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(Event):
    """A failure that was told will never be told to be over: what failed is no longer configured."""

    kind = "withdrawn"
    about: tuple[str, ...]

    def text(self) -> str:
        return f"{self.service}: {' '.join((self.about[0], *self.about[2:]))} is no longer in the configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat(Event):
    """Comes every so many seconds."""

    kind = "heartbeat"
    host: str
    problems: int
    every: float

    def text(self) -> str:
        count = f"{self.problems} problem{'' if self.problems == 1 else 's'}" if self.problems else "no problem"
        return f"healthd on {self.host} is running; {count} open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial(Event):
    """What `healthd alert test` sends."""

    kind = "test"
    alert: str
    host: str

    def text(self) -> str:
        return f"a test of alert {self.alert} of healthd on {self.host}: nothing has happened"


NOTICES: Mapping[str, type[Event]] = {
    event.kind: event for event in (Flapping, Steady, SteadyDown, Withdrawn, Heartbeat, Trial)
}

TOLD: Mapping[str, type[Event]] = {**KINDS, **NOTICES}
"""Everything that may stand in a message."""
