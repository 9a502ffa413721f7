"""How the tests of checkers ask: through the same boundary as the daemon, with real sockets."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable

from checkers.base import Checker, Code, Outcome, Target, Trace
from healthd.clock import SystemClock
from healthd.engine.boundary import run_check
from healthd.engine.lean import Engine, Run

TRIES = 30
"""LATE says that this process was kept from looking, so the question is asked again, this often at most."""

ENOUGH = 40.0
"""Seconds for a check that ends by itself, however busy the machine is; those that wait for the deadline have less."""


class Notes(Trace):
    """Keeps the notes that `healthd probe` shows."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


async def ask(checker: Checker, target: Target, seconds: float = ENOUGH) -> Outcome:
    """The outcome in a task; a check that is lean is asked by the engine too, and says the same there."""
    outcome = await punctual(lambda: in_task(checker, target, seconds))
    if checker.lean:
        lean = await punctual(lambda: in_engine(checker, target, seconds))
        assert (lean.status, lean.code) == (outcome.status, outcome.code), f"{lean} in the engine, not {outcome}"
    return outcome


async def ask_once(
    checker: Checker, target: Target, seconds: float = ENOUGH, again: Callable[[], object] = lambda: None
) -> Outcome:
    """The outcome in the engine, for tests that count what the server got; `again` comes before any further try."""
    return await punctual(lambda: in_engine(checker, target, seconds), again)


async def longer(
    asked: Callable[[float], Awaitable[Outcome]], seconds: float, reached: Callable[[Outcome], bool]
) -> Outcome:
    """For what the deadline is to find in a certain state, which other processes need some time to get into.

    If they have not `reached` it within the seconds given, it is asked again with twice as many.
    """
    while not reached(outcome := await asked(seconds)) and seconds < ENOUGH / 2:
        seconds *= 2
    return outcome


async def punctual(once: Callable[[], Awaitable[Outcome]], again: Callable[[], object] = lambda: None) -> Outcome:
    """The first outcome of several tries that is not LATE."""
    outcome = await once()
    for _ in range(TRIES - 1):
        if outcome.code != Code.LATE:
            break
        again()
        outcome = await once()
    return outcome


async def in_task(checker: Checker, target: Target, seconds: float) -> Outcome:
    return await run_check(checker, dataclasses.replace(target, trace=Trace()), seconds, SystemClock())


async def in_engine(checker: Checker, target: Target, seconds: float) -> Outcome:
    ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    engine: Engine[Run] = Engine(SystemClock(), lambda _, outcome: ended.set_result(outcome))
    run = Run(checker, dataclasses.replace(target, trace=Trace(), io=engine), seconds)
    try:
        engine.start(run, SystemClock().monotonic())
        engine.look()
        return await ended
    finally:
        engine.stop(run)
        engine.close()
