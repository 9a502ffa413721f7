"""One of the questions that a combined check asks, and its answer, whatever becomes of it."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from dataclasses import dataclass

from checkers.base import CheckEnded, Checker, Code, Outcome, Phase, Status, Target, Trace, show

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Part:
    """A checker of the kind so named. Its answer has `weight` votes."""

    kind: str
    checker: Checker
    weight: int = 1


class PartTrace(Trace):
    """Tells the whole check's trace what is worth telling, under the name of the part."""

    __slots__ = ("_name", "_whole")

    def __init__(self, name: str, whole: Trace) -> None:
        super().__init__()
        self._name = name
        self._whole = whole

    def enter(self, phase: Phase, text: str = "") -> None:
        super().enter(phase, text)
        if text:
            self.note(text)

    def note(self, text: str) -> None:
        self._whole.note(f"{self._name}: {text}")


async def answer(part: Part, whole: Target, trace: Trace) -> Outcome:
    """What the part found of the target of the `whole` check, or of the one that it names itself."""
    checker = part.checker
    target = dataclasses.replace(
        whole,
        address=checker.address or whole.address,
        port=checker.port or whole.port or checker.default_port,
        route=checker.route,
        trace=trace,
    )
    try:
        found: object = await checker.check(target)
    except CheckEnded as ended:
        return ended.outcome
    except (Exception, SystemExit, asyncio.CancelledError) as error:  # a plugin's, and not the fault of the others
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
            raise
        log.exception("checker %s raised while checking %s", type(checker).__name__, target.where)
        return Outcome(Status.UNKNOWN, Code.CRASH.value, f"raised {show(repr(error), 200)}")
    if isinstance(found, Outcome):
        return found
    return Outcome(Status.UNKNOWN, Code.CRASH.value, f"returned {show(repr(found), 200)}, not an Outcome")
