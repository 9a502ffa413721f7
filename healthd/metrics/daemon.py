"""The families of healthd itself: its schedule, the table, events, alerts, history."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from healthd.events import KINDS, Bus, Event, ServerEvent, TableDrift, TableEdited, TableError
from healthd.metrics.text import Family, labelled
from healthd.schedulerview import SchedulerView
from healthd.tally import OTHER
from healthd.verdict import Health

Transition = tuple[str, str]
"""The health that a server has come to, and the code of the outcome that has decided it."""

MOST_TRANSITIONS = 16
"""Kinds of transition that are told apart for one server; a plugin may make up any code."""


MOST_SERVERS = 20_000
"""Servers whose transitions are counted; beyond it the first counted ones, which may be long gone, begin anew."""


@dataclass(frozen=True, slots=True)
class ChannelCounts:
    name: str
    queued: int
    sent: int
    failed: int
    held_back: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What is told of the daemon. `started` and `loaded` are wall-clock time, in seconds since the epoch.

    `alive` is what the watchdog is fed for, and `refused` how many edits the table refuses at the moment.
    """

    version: str
    started: float
    loaded: float
    alive: bool
    scheduler: SchedulerView
    refused: int
    frozen: bool
    history_error: bool
    history_dropped: int
    channels: Sequence[ChannelCounts]


class EventCounter:
    """Counts what is published from its construction on, by kind; edits, differences and transitions one by one."""

    def __init__(self, bus: Bus) -> None:
        self._subscription = bus.subscribe()
        self.kinds: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
        self.edits = 0
        self.differences = 0
        self.transitions: dict[tuple[str, str], Counter[Transition]] = {}
        """By service and server."""

    async def run(self) -> None:
        while True:
            self._count(await self._subscription.get())

    def drain(self) -> None:
        """Counts what has been published by now."""
        while (event := self._subscription.get_nowait()) is not None:
            self._count(event)

    def _count(self, event: Event) -> None:
        self.kinds[event.kind] += 1
        match event:
            case TableEdited(edits=edits):
                self.edits += len(edits)
            case TableDrift(differences=differences):
                self.differences += len(differences)
            case ServerEvent() if event.old != Health.UNDECIDED.value:  # to be decided on is no change of health
                self._count_transition(event)

    def _count_transition(self, event: ServerEvent) -> None:
        counts = self.transitions.setdefault((event.service, event.server), Counter())
        if len(self.transitions) > MOST_SERVERS:
            del self.transitions[next(iter(self.transitions))]
        transition = event.new, event.outcomes[-1].code if event.outcomes else ""
        if transition not in counts and len(counts) >= MOST_TRANSITIONS:
            transition = event.new, OTHER
        counts[transition] += 1


def of_daemon(inside: Inside, counter: EventCounter) -> Iterator[Family]:
    def one(name: str, kind: str, text: str, value: float) -> Family:
        return Family(f"healthd_{name}", kind, text, [("", float(value))])

    scheduler, lateness = inside.scheduler, inside.scheduler.lateness
    yield Family("healthd_info", "gauge", "The release.", [(labelled({"version": inside.version}), 1)])
    yield one("start_time_seconds", "gauge", "When it started.", inside.started)
    loaded = "When its configuration was last taken over."
    yield one("config_reload_success_timestamp_seconds", "gauge", loaded, inside.loaded)
    yield one("self_check_ok", "gauge", "1 while checks advance and the table answers.", inside.alive)
    yield one("frozen", "gauge", "1 while the table is only looked at.", inside.frozen)
    yield one("ipvs_edits_refused", "gauge", "Edits that the table refuses at the moment.", inside.refused)
    yield one("ipvs_edits_total", "counter", "Edits that were carried out.", counter.edits)
    errors = counter.kinds[TableError.kind]
    yield one("ipvs_errors_total", "counter", "Troubles with the table: out of reach, or edits refused.", errors)
    yield one("ipvs_drift_total", "counter", "Differences that somebody else has made.", counter.differences)
    yield one("checks", "gauge", "Checks that run; one may serve several services.", scheduler.checks)
    yield one("probes_inflight", "gauge", "Checks that are being carried out.", scheduler.under_way)
    yield one("checks_waiting", "gauge", "Checks that are due and have no descriptor.", scheduler.waiting)
    yield one("late_starts_total", "counter", "Checks that started more than half a second late.", scheduler.too_late)
    shares = {"0.5": lateness.p50, "0.99": lateness.p99, "1": lateness.longest}
    yield Family(
        "healthd_scheduler_lag_seconds",
        "gauge",
        "How late checks start, over the last one to two minutes.",
        [(labelled({"share": share}), seconds) for share, seconds in shares.items()],
    )
    yield Family(
        "healthd_events_total",
        "counter",
        "Events by kind.",
        [(labelled({"kind": kind}), number) for kind, number in counter.kinds.items()],
    )
    yield one("history_failing", "gauge", "1 while the past is not kept.", inside.history_error)
    yield one("history_dropped_events_total", "counter", "Events that are lost to history.", inside.history_dropped)
    yield from _of_alerts(inside.channels)
    yield from _of_process()


def _of_alerts(channels: Sequence[ChannelCounts]) -> Iterator[Family]:
    labels = [labelled({"channel": channel.name})[:-1] for channel in channels]
    every = list(zip(labels, channels, strict=True))
    waiting = [(f"{label}}}", channel.queued) for label, channel in every]
    yield Family("healthd_alert_spool_depth", "gauge", "Messages that wait for their channel.", waiting)
    ends = (
        (f'{label},result="{result}"}}', count)
        for label, channel in every
        for result, count in (("delivered", channel.sent), ("given_up", channel.failed))
    )
    yield Family("healthd_alerts_sent_total", "counter", "Messages, by what came of them.", ends)
    held = [(f"{label}}}", channel.held_back) for label, channel in every]
    yield Family("healthd_alerts_held_back_total", "counter", "Messages that the channel's rate held back.", held)


def _of_process() -> Iterator[Family]:
    """Under the names that all of Prometheus's own clients use."""
    cpu = time.process_time()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a path for each would be thrown away
    yield Family("process_cpu_seconds_total", "counter", "User and system CPU time.", [("", cpu)])
    resident = pages * os.sysconf("SC_PAGE_SIZE")
    yield Family("process_resident_memory_bytes", "gauge", "Resident memory.", [("", resident)])
    yield Family("process_open_fds", "gauge", "Open descriptors.", [("", descriptors)])
