"""How the tests of checkers ask: through the same boundary as the daemon, with real sockets."""

from checkers.base import Checker, Outcome, Target
from healthd.clock import SystemClock
from healthd.scheduler import run_check


async def ask(checker: Checker, target: Target, seconds: float = 5) -> Outcome:
    return await run_check(checker, target, seconds, SystemClock())
