"""A pool of worker processes with its surroundings, for its tests. The verdicts are counted as in the controller."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from checkers.base import Checker, Code, Outcome
from checkers.registry import find
from healthd.clock import SystemClock
from healthd.config.values import CheckConfig, ServiceConfig, Settings
from healthd.events import WorkerLost
from healthd.phases import NOTHING, Spent
from healthd.plan import Job, JobId, make
from healthd.tally import Repeated
from healthd.verdict import Verdict, step
from healthd.workers.pool import WorkerPool
from healthd.workers.worker import Patience
from tests.support.building import OTHER_KEY, A, check, config, service
from tests.support.processes import children

PATIENCE = 60  # seconds that anything may take on a busy machine

LONG = Patience(beat=0.2, silent_beats=300, starting_beats=300, grace=60, brief=1000, pause=0.1, longest_pause=0.2)
"""A worker that a busy machine holds up is not taken for one that hangs, and its short life not for a long one."""
SHORT = replace(LONG, silent_beats=5)
"""A worker that hangs is found out in a second."""


JOB = JobId("web/10.0.0.1:80/tcp")
"""The first one of `Pool.set_jobs`."""

PLUGIN = """
import os, socket, time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from checkers.base import Checker, Outcome, Status, passed
@dataclass(frozen=True, kw_only=True)
class Plugin(Checker):
    number: int = 0
    async def check(self, target):
"""


def checker(kind: str, plugin_dir: Path | None = None, **options: Any) -> Checker:
    made: Any = find(kind, plugin_dir)
    checker: Checker = made(**options)
    return checker


class Pool:
    def __init__(self, plugin_dir: Path, count: int = 1, patience: Patience = LONG) -> None:
        self.plugin_dir = plugin_dir
        self.recorded: list[tuple[JobId, Outcome]] = []
        self.gone: set[JobId] = set()
        self.lost: list[WorkerLost] = []
        self.verdicts: dict[JobId, Verdict] = {}
        self.steps: list[tuple[str, Verdict]] = []
        """The code of each outcome that has ever been recorded, and the verdict that came of it."""
        self.repeated: Counter[JobId] = Counter()
        settings = Settings(plugin_dir=plugin_dir, workers=count)
        clock = SystemClock()
        self.pool = WorkerPool(clock, self, self.lost.append, settings=settings, patience=patience)

    def count(self, job: Job, repeated: Repeated) -> None:
        self.repeated[job.id] += repeated.count

    def record(self, job: Job, outcome: Outcome, spent: Spent = NOTHING) -> bool:  # noqa: ARG002 - figures
        self.recorded.append((job.id, outcome))
        if outcome.code == Code.WORKER:
            self.gone.add(job.id)
        before = self.verdicts.get(job.id, Verdict())
        self.verdicts[job.id], _ = step(before, outcome, fall=job.check.fall, rise=job.check.rise)
        self.steps.append((outcome.code, self.verdicts[job.id]))
        return self.verdicts[job.id].settled

    def check(self, kind: str, **options: Any) -> CheckConfig:
        """A check of a kind that a worker can make; every 50 ms."""
        made = check(checker=checker(kind, self.plugin_dir, **options), interval=0.05, fast_interval=0.05, timeout=60)
        return CheckConfig(**{name: getattr(made, name) for name in made.__slots__} | {"kind": kind})

    def plugin(self, body: str) -> str:
        """The kind of a plugin whose `check` has this body. It has a field, `number`."""
        lines = "\n".join(f"        {line}" for line in body.splitlines())
        (self.plugin_dir / "plugin.py").write_text(PLUGIN + lines)
        return "plugin:Plugin"

    def set_jobs(self, *checks: CheckConfig, other: Iterable[CheckConfig] = ()) -> None:
        """Of one server; `other` are of the same one in another service."""
        services: list[ServiceConfig] = [service(A, checks=checks)]
        if other:
            services.append(service(A, checks=other, name="other", key=OTHER_KEY))
        self.pool.set_jobs(make(config(*services)).jobs)

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        running = asyncio.create_task(self.pool.run())
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    async def records(self, *wanted: str) -> list[Outcome]:
        """Waits until outcomes with these codes have come, in this order; others between are passed over."""
        found: list[Outcome] = []
        async with asyncio.timeout(PATIENCE):
            for code in wanted:
                while not (self.recorded and self.recorded[0][1].code == code):
                    if self.recorded:
                        self.recorded.pop(0)
                    else:
                        await asyncio.sleep(0.01)
                found.append(self.recorded.pop(0)[1])
        return found

    def worker(self) -> int:
        """The process of the one worker. What has been recorded so far is used up."""
        self.recorded.clear()
        (number,) = children()
        return number

    @property
    def codes(self) -> set[str]:
        return {outcome.code for _, outcome in self.recorded}
