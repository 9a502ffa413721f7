from dataclasses import dataclass

from checkers import net
from checkers.base import Checker, Code, Outcome, Target, passed


@dataclass(frozen=True, kw_only=True)
class Tcp(Checker):
    """Passes when a TCP connection is established. It is closed at once, with a reset: no TIME_WAIT is left behind."""

    async def check(self, target: Target) -> Outcome:
        async with net.connect(target, reset_on_close=True):
            return passed(Code.L4OK, f"connected to {target.where}")
