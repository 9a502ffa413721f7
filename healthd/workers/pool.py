"""Runs checks in worker processes. It has the shape of a Scheduler, and takes its place."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping

from healthd.clock import Clock
from healthd.config.values import Settings
from healthd.events import WorkerLost
from healthd.plan import Job, JobId
from healthd.schedulerview import SchedulerView, together
from healthd.workers.worker import Patience, Recorder, Surroundings, Worker


class WorkerPool:
    """`settings.workers` processes. `recorder` takes in what they find, `publish` hears of each one that is lost."""

    def __init__(
        self,
        clock: Clock,
        recorder: Recorder,
        publish: Callable[[WorkerLost], None],
        *,
        settings: Settings,
        patience: Patience | None = None,
    ) -> None:
        self._recorder = recorder
        around = Surroundings(clock, recorder, publish, patience or Patience())
        count = settings.workers
        self._workers = [Worker(f"worker {number} of {count}", settings, around) for number in range(1, count + 1)]

    @property
    def view(self) -> SchedulerView:
        return together(worker.view for worker in self._workers)

    def set_settings(self, settings: Settings) -> None:
        """For the jobs that are set from now on. The number of workers stays."""
        for worker in self._workers:
            worker.settings = settings

    def set_jobs(self, jobs: Mapping[JobId, Job], unsettled: Iterable[JobId] = ()) -> None:  # noqa: ARG002 - the verdicts tell
        """From now on these jobs run. One that is not known yet, or changed, starts afresh."""
        verdicts = self._recorder.verdicts
        shares: list[dict[JobId, Job]] = [{} for _ in self._workers]
        for job_id, job in jobs.items():
            shares[place(job, len(shares))][job_id] = job
        for worker, share in zip(self._workers, shares, strict=True):
            worker.set_jobs(share, verdicts)

    def check_now(self, ids: Iterable[JobId]) -> None:
        """See `healthd.scheduler.Scheduler.check_now`."""
        wanted = frozenset(ids)
        for worker in self._workers:
            worker.check_now(wanted)

    async def run(self) -> None:
        """Runs checks for ever; ends the processes when it is cancelled itself."""
        async with asyncio.TaskGroup() as group:
            for worker in self._workers:
                group.create_task(worker.run())


def place(job: Job, count: int) -> int:
    """Which of `count` workers runs the job.

    It follows from whom it asks and nothing else: it is the same after a restart, and checks of one server in several
    services come together.
    """
    digest = hashlib.blake2b(job.target.where.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % count
