"""What becomes of a check, whoever ran it: its answer, an exception of its code, or the deadline.

No exception of a checker gets past this file, and nothing here decides on anything but a single check.
"""

from __future__ import annotations

import asyncio
import logging

from checkers.base import CheckEnded, Checker, Code, Outcome, Status, Target, show
from checkers.fault import deadline_outcome
from healthd.clock import Clock, Deadline
from healthd.engine.lost import Vigil

log = logging.getLogger(__name__)

LATE_AT_LEAST = 0.1
LATE_SHARE = 0.1
"""A check that lost more than this by our own lateness, in seconds and as a share of its timeout, was not fair."""

ESCAPES = (Exception, SystemExit, asyncio.CancelledError)
"""All that a checker may raise without anybody else coming to harm."""


async def run_check(
    checker: Checker, target: Target, seconds: float, clock: Clock, vigil: Vigil | None = None
) -> Outcome:
    """The outcome of one check under one deadline, in a task of its own. Whoever runs many has one `vigil` for all."""
    vigil = vigil or Vigil(clock)
    began, lost = clock.monotonic(), vigil.begin()
    deadline = Deadline(clock, seconds)
    try:
        async with deadline:
            outcome = answered(checker, await checker.check(target))
    except ESCAPES as error:
        if isinstance(error, asyncio.CancelledError) and _is_cancelled():
            raise
        if deadline.struck and isinstance(error, TimeoutError):
            outcome = cut_off(target, seconds, max(deadline.late, vigil.lost - lost))
        else:
            outcome = raised(checker, target, error)
    finally:
        vigil.end()
    return timed(outcome, clock.monotonic() - began)


def _is_cancelled() -> bool:
    """True if it was this task that somebody cancelled, and not one that a checker was waiting for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def answered(checker: Checker, value: object) -> Outcome:
    """The outcome of a check that has returned `value`."""
    if isinstance(value, Outcome):
        return value
    return _crash(f"{type(checker).__name__} returned {show(repr(value), 200)}, not an Outcome")


def raised(checker: Checker, target: Target, error: BaseException) -> Outcome:
    """The outcome of a check that has raised `error`; called while it is handled."""
    if isinstance(error, CheckEnded):
        return error.outcome
    name = type(checker).__name__
    log.error("checker %s raised while checking %s", name, target.where, exc_info=error)
    return _crash(f"{name} raised {show(repr(error), 200)}")


def cut_off(target: Target, seconds: float, late: float) -> Outcome:
    """The outcome of a check without a result at its deadline. What we missed ourselves says nothing of the server."""
    if late > max(LATE_AT_LEAST, seconds * LATE_SHARE):
        return Outcome(Status.UNKNOWN, Code.LATE, f"this process was {late:.2f} s late to look at the answer")
    return deadline_outcome(target.trace, seconds)


def timed(outcome: Outcome, seconds: float) -> Outcome:
    return Outcome(
        outcome.status,
        outcome.code,
        outcome.detail,
        seconds,
        outcome.weight,
        factor=outcome.factor,
        degraded=outcome.degraded,
        expires=outcome.expires,
    )


def _crash(detail: str) -> Outcome:
    return Outcome(Status.UNKNOWN, Code.CRASH, detail)
