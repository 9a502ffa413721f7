"""One thing that is wrong, or was a moment ago, as far as one alert is concerned."""

from __future__ import annotations

from dataclasses import dataclass

from healthd.alerts.endings import evidence
from healthd.alerts.notices import Flapping
from healthd.events import Event, ServerEvent

FLAPS = 3
FLAP_SECONDS = 600.0
CALM_SECONDS = 600.0


@dataclass(slots=True)
class Problem:
    """`failure` is None when it is over. `told` is whether the receivers know; `offered` counts messages under way.

    `since` and `changed`, the time of the newest event, are wall clock; `remind_at`, `calm_at` and `failures`, when it
    failed last, are monotonic.
    """

    since: float
    failure: Event | None = None
    changed: float = 0.0
    told: bool = False
    offered: int = 0
    remind_at: float | None = None
    failures: tuple[float, ...] = ()
    flapping: bool = False
    calm_at: float = 0.0


def start_flapping(problem: Problem, event: ServerEvent, now: float) -> Flapping:
    """What is told in place of `event`, which is one failure too many."""
    problem.flapping, problem.calm_at = True, now + CALM_SECONDS
    return Flapping(
        at=event.at,
        service=event.service,
        server=event.server,
        failures=len(problem.failures),
        seconds=now - problem.failures[0],
        evidence=evidence(event),
        calm=CALM_SECONDS,
    )


def recent(times: tuple[float, ...], now: float) -> tuple[float, ...]:
    """Of the times of failures those that count for flapping, one less than it takes."""
    return tuple(time for time in times if time > now - FLAP_SECONDS)[1 - FLAPS :]
