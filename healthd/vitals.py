"""Whether healthd itself is alive, and how everything stands, in a line.

Alive means that checks advance and that the table answers. That the process runs, or that its event loop turns, says
neither: a watchdog that is fed for that alone watches nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping
from dataclasses import dataclass

from healthd.clock import Clock
from healthd.controller import Controller
from healthd.events import one_line
from healthd.plan import Job, JobId
from healthd.policy import Standing
from healthd.reconcile import Reconciler
from healthd.snapshot import Snapshot

GRACE = 15.0
"""Seconds on top of twice what is due: a worker keeps a steady outcome for ten, and a busy machine is not dead."""

STATES = {
    "up": "up",
    "down": "down",
    "unknown": "undecided",
    "drain": "draining",
    "maintenance": "in maintenance",
}
"""The words for `ServerView.state`, in the order in which they are said."""

LONGEST_TROUBLE = 200


@dataclass(frozen=True, slots=True)
class Signs:
    """When an outcome was recorded last and when the table answered last, in monotonic time.

    Some check is to end every `pace` seconds; None without checks. The table is asked every `table_pace` seconds.
    """

    outcome_at: float
    pace: float | None
    table_at: float
    table_pace: float


def stalled(signs: Signs, now: float) -> str:
    """What does not advance any more, with evidence; empty while all does."""
    idle, silent = now - signs.outcome_at, now - signs.table_at
    found = []
    if signs.pace is not None and idle > 2 * signs.pace + GRACE:
        found.append(f"no check has ended for {idle:.0f} s, where one is due every {signs.pace:g} s")
    if silent > 2 * signs.table_pace + GRACE:
        found.append(f"the table has not answered for {silent:.0f} s, where it is asked every {signs.table_pace:g} s")
    return "; ".join(found)


def pace_of(jobs: Mapping[JobId, Job]) -> float | None:
    """The longest time between two outcomes while all is well: the quickest check, and it waits for its timeout."""
    return min((job.check.interval + job.check.timeout for job in jobs.values()), default=None)


class Vitals:
    """Read off the controller and the reconciler; nothing here changes anything."""

    def __init__(self, clock: Clock, controller: Controller, reconciler: Reconciler) -> None:
        self._clock = clock
        self._controller = controller
        self._reconciler = reconciler
        self._pace: float | None = None
        self._since = clock.monotonic()

    def expect(self, jobs: Mapping[JobId, Job]) -> None:
        """From now on these jobs run."""
        self._pace = pace_of(jobs)
        self._since = self._clock.monotonic()

    @property
    def stalled(self) -> str:
        """See the function of this name."""
        signs = Signs(
            outcome_at=max(self._since, self._controller.recorded_at),
            pace=self._pace,
            table_at=self._reconciler.answered_at,
            table_pace=self._reconciler.pace,
        )
        return stalled(signs, self._clock.monotonic())

    def summary(self) -> Generator[None, None, str]:
        """How everything stands, in a line; with pauses, so that thousands of servers hold up no check."""
        snapshot = yield from self._controller.snapshot_slices()
        return summary(snapshot, self._reconciler.errors)


def summary(snapshot: Snapshot, errors: tuple[str, ...]) -> str:
    """Such as `1 service, 3 servers: 2 up, 1 down; table as it should be`. `errors` are those of the table."""
    counts = Counter(server.state for service in snapshot.services for server in service.servers)
    states = ", ".join(f"{counts[state]} {word}" for state, word in STATES.items() if counts[state])
    totals = f"{_counted(len(snapshot.services), 'service')}, {_counted(counts.total(), 'server')}"
    lost = sum(service.standing is Standing.LOST for service in snapshot.services)
    parts = [
        f"{totals}: {states}" if states else totals,
        f"{_counted(lost, 'service')} without a server" if lost else "",
        _table(snapshot, errors),
    ]
    return "; ".join(part for part in parts if part)


def _table(snapshot: Snapshot, errors: tuple[str, ...]) -> str:
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        return f"table not as it should be: {one_line(errors[0], LONGEST_TROUBLE)}{more}"
    return "table frozen by an operator" if snapshot.frozen else "table as it should be"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
