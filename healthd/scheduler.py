from __future__ import annotations

import dataclasses
import logging

from checkers import net
from checkers.base import CheckEnded, Checker, Code, Outcome, Status, Target
from healthd.clock import Clock, Deadline

log = logging.getLogger(__name__)


async def run_check(checker: Checker, target: Target, seconds: float, clock: Clock) -> Outcome:
    """The outcome of one check under one deadline. This is the boundary: no exception of a checker passes it."""
    began = clock.monotonic()
    deadline = Deadline(clock, seconds)
    try:
        async with deadline:
            outcome = await checker.check(target)
    except CheckEnded as end:
        outcome = end.outcome
    except Exception as error:
        if deadline.struck and isinstance(error, TimeoutError):
            outcome = net.deadline_outcome(target.trace, seconds)
            return dataclasses.replace(outcome, seconds=clock.monotonic() - began)
        log.exception("checker %s raised while checking %s", type(checker).__name__, target.where)
        outcome = Outcome(Status.UNKNOWN, Code.CRASH, f"{type(checker).__name__} raised {error!r}")
    return dataclasses.replace(outcome, seconds=clock.monotonic() - began)
