"""The families of healthd itself: its schedule, the table, events, alerts, history."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from healthd.events import KINDS, Bus, Event, TableDrift, TableEdited
from healthd.metrics.text import Family, labelled
from healthd.schedulerview import SchedulerView


@dataclass(frozen=True, slots=True)
class ChannelCounts:
    name: str
    queued: int
    sent: int
    failed: int
    held_back: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What is told of the daemon. `started` and `loaded` are wall-clock time, in seconds since the epoch."""

    version: str
    started: float
    loaded: float
    scheduler: SchedulerView
    table_errors: int
    frozen: bool
    history_error: bool
    history_dropped: int
    channels: Sequence[ChannelCounts]


class EventCounter:
    """Counts what is published from its construction on, by kind; edits and differences one by one."""

    def __init__(self, bus: Bus) -> None:
        self._subscription = bus.subscribe()
        self.kinds: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
        self.edits = 0
        self.differences = 0

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


def of_daemon(inside: Inside, counter: EventCounter) -> Iterator[Family]:
    def one(name: str, kind: str, text: str, value: float) -> Family:
        return Family(f"healthd_{name}", kind, text, [("", float(value))])

    scheduler, lateness = inside.scheduler, inside.scheduler.lateness
    yield Family("healthd_info", "gauge", "The release.", [(labelled({"version": inside.version}), 1)])
    yield one("start_time_seconds", "gauge", "When it started.", inside.started)
    yield one("config_loaded_timestamp_seconds", "gauge", "When its configuration was last taken over.", inside.loaded)
    yield one("frozen", "gauge", "1 while the table is only looked at.", inside.frozen)
    yield one("table_errors", "gauge", "Edits that the table refuses at the moment.", inside.table_errors)
    yield one("table_edits_total", "counter", "Edits that were carried out.", counter.edits)
    yield one("table_drift_total", "counter", "Differences that somebody else has made.", counter.differences)
    yield one("checks", "gauge", "Checks that run; one may serve several services.", scheduler.checks)
    yield one("checks_waiting", "gauge", "Checks that are due and have no descriptor.", scheduler.waiting)
    yield one("late_starts_total", "counter", "Checks that started more than half a second late.", scheduler.too_late)
    shares = {"0.5": lateness.p50, "0.99": lateness.p99, "1": lateness.longest}
    yield Family(
        "healthd_start_lateness_seconds",
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
    for name, kind, text, values in (
        ("alert_queue", "gauge", "Messages that wait for their channel.", [c.queued for c in channels]),
        ("alerts_sent_total", "counter", "Messages that were delivered.", [c.sent for c in channels]),
        ("alerts_failed_total", "counter", "Attempts to deliver that failed.", [c.failed for c in channels]),
        (
            "alerts_held_back_total",
            "counter",
            "Messages that the channel's rate held back.",
            [c.held_back for c in channels],
        ),
    ):
        samples = [
            (labelled({"channel": channel.name}), value) for channel, value in zip(channels, values, strict=True)
        ]
        yield Family(f"healthd_{name}", kind, text, samples)


def _of_process() -> Iterator[Family]:
    """Under the names that all of Prometheus's own clients use."""
    cpu = time.process_time()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a path for each would be thrown away
    yield Family("process_cpu_seconds_total", "counter", "User and system CPU time.", [("", cpu)])
    resident = pages * os.sysconf("SC_PAGE_SIZE")
    yield Family("process_resident_memory_bytes", "gauge", "Resident memory.", [("", resident)])
    yield Family("process_open_fds", "gauge", "Open descriptors.", [("", descriptors)])
