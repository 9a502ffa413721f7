"""Checks that are not asked: servers report by themselves, and it is told when a report does not come in time.

Rules:

1. Each report is one outcome. Nothing is made of its absence before the check's deadline has passed since the last one,
   or since the check became known: until then what was known of the server stands.
2. From then on the check fails, again and again at its fast interval until that is settled, then at its interval.
3. Whoever has the token of a check may report for that check, and for no other.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from checkers.base import Code, Outcome, Status
from checkers.push import Push
from healthd.clock import Clock, Timer
from healthd.plan import Job, JobId

Record = Callable[[Job, Outcome], bool]
"""Takes an outcome in; True when the check is settled."""

_NOBODY = bytes(32)


def late(age: float, deadline: float, *, reported: bool) -> Outcome:
    """The outcome of a check of which nothing has come for `age` seconds."""
    silent = f"no report for {age:.0f} s" if reported else f"no report yet after {age:.0f} s"
    return Outcome(Status.FAIL, Code.L7TOUT.value, f"{silent}; one is due every {deadline:g} s")


@dataclass(slots=True)
class _Awaited:
    """`since` is the monotonic time of the last report, or of when the check became known."""

    job: Job
    checker: Push
    since: float
    reported: bool = False
    timer: Timer | None = None


class Pushes:
    def __init__(self, clock: Clock, record: Record) -> None:
        self._clock = clock
        self._record = record
        self._awaited: dict[JobId, _Awaited] = {}
        self._over = False

    def set_jobs(self, jobs: Mapping[JobId, Job]) -> dict[JobId, Job]:
        """From now on reports are awaited for those of `jobs` that are not asked; the others are what comes back."""
        known, self._awaited = self._awaited, {}
        asked: dict[JobId, Job] = {}
        now = self._clock.monotonic()
        for name, job in jobs.items():
            checker = job.check.checker
            if not isinstance(checker, Push):
                asked[name] = job
                continue
            old = known.pop(name, None)
            awaited = self._awaited[name] = (
                replace(old, job=job, checker=checker) if old else _Awaited(job, checker, now)
            )
            self._await(awaited, max(awaited.since + checker.seconds, now))
        for gone in known.values():
            _disarm(gone)
        return asked

    def report(self, name: str, token: str, outcome: Outcome) -> bool:
        """Takes in what was reported for a check; False where there is no such check, or the token is not its own."""
        awaited = self._awaited.get(JobId(name))
        digest = hashlib.sha256(token.encode(errors="surrogateescape")).digest()
        known = hmac.compare_digest(awaited.checker.digest if awaited else _NOBODY, digest)
        if awaited is None or not known or self._over:
            return False
        awaited.since, awaited.reported = self._clock.monotonic(), True
        self._await(awaited, awaited.since + awaited.checker.seconds)
        self._record(awaited.job, outcome)
        return True

    async def run(self) -> None:
        """Takes reports until it is cancelled; afterwards nothing is recorded any more."""
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._over = True
            for awaited in self._awaited.values():
                _disarm(awaited)

    def _await(self, awaited: _Awaited, until: float) -> None:
        _disarm(awaited)
        awaited.timer = self._clock.call_at(until, lambda: self._miss(awaited))

    def _miss(self, awaited: _Awaited) -> None:
        """Its time has come and no report has."""
        now, check = self._clock.monotonic(), awaited.job.check
        settled = self._record(
            awaited.job, late(now - awaited.since, awaited.checker.seconds, reported=awaited.reported)
        )
        if self._awaited.get(awaited.job.id) is awaited:  # recording may have led to a reload
            self._await(awaited, now + (check.interval if settled else check.fast_interval))


def _disarm(awaited: _Awaited) -> None:
    if awaited.timer is not None:
        awaited.timer.cancel()
        awaited.timer = None
