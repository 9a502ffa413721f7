"""How the tests of checkers ask: through the same boundary as the daemon, with real sockets."""

import asyncio
import dataclasses

from checkers.base import Checker, Code, Outcome, Target, Trace
from healthd.clock import SystemClock
from healthd.engine.boundary import run_check
from healthd.engine.lean import Engine, Run

TRIES = 5
"""LATE says that this process was kept from looking, so the question is asked again, this often at most."""


class Notes(Trace):
    """Keeps the notes that `healthd probe` shows."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


async def ask(checker: Checker, target: Target, seconds: float = 5) -> Outcome:
    """The outcome in a task; a check that is lean is asked by the engine too, and says the same there."""
    for _ in range(TRIES):
        outcome = await run_check(checker, dataclasses.replace(target, trace=Trace()), seconds, SystemClock())
        if outcome.code != Code.LATE:
            break
    if checker.lean:
        for _ in range(TRIES):
            lean = await ask_once(checker, dataclasses.replace(target, trace=Trace()), seconds)
            if lean.code != Code.LATE:
                break
        assert (lean.status, lean.code) == (outcome.status, outcome.code), f"{lean} in the engine, not {outcome}"
    return outcome


async def ask_once(checker: Checker, target: Target, seconds: float = 5) -> Outcome:
    """The outcome in the engine, for tests that count what the server got."""
    ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    engine: Engine[Run] = Engine(SystemClock(), lambda _, outcome: ended.set_result(outcome))
    run = Run(checker, dataclasses.replace(target, io=engine), seconds)
    try:
        engine.start(run, SystemClock().monotonic())
        engine.look()
        return await ended
    finally:
        engine.stop(run)
        engine.close()
