"""How the tests of checkers ask: through the same boundary as the daemon, with real sockets."""

import asyncio
import dataclasses

from checkers.base import Checker, Outcome, Target, Trace
from healthd.boundary import run_check
from healthd.clock import SystemClock
from healthd.engine import Engine, Run


async def ask(checker: Checker, target: Target, seconds: float = 5) -> Outcome:
    """The outcome in a task; a check that is lean is asked by the engine too, and says the same there."""
    outcome = await run_check(checker, target, seconds, SystemClock())
    if checker.lean:
        lean = await ask_once(checker, dataclasses.replace(target, trace=Trace()), seconds)
        assert (lean.status, lean.code) == (outcome.status, outcome.code), f"{lean} in the engine, not {outcome}"
    return outcome


async def ask_once(checker: Checker, target: Target, seconds: float = 5) -> Outcome:
    """The outcome in the engine, for tests that count what the server got."""
    ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    engine: Engine[Run] = Engine(SystemClock(), lambda _, outcome: ended.set_result(outcome))
    run = Run(checker, dataclasses.replace(target, io=engine), seconds)
    try:
        engine.start(run)
        engine.look()
        return await ended
    finally:
        engine.stop(run)
        engine.close()
