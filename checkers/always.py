from dataclasses import dataclass
from typing import ClassVar, Literal

from checkers.base import Checker, Code, Failed, Outcome, Target, passed


@dataclass(frozen=True, kw_only=True)
class Always(Checker):
    """Asks nothing: the server is up, or down, because the configuration says so. For maintenance."""

    needs_port: ClassVar[bool] = False
    shared: ClassVar[bool] = True

    state: Literal["up", "down"] = "up"

    async def check(self, target: Target) -> Outcome:  # noqa: ARG002 - nobody is asked
        if self.state == "down":
            raise Failed(Code.FIXED, 'down by configuration: type = "always", state = "down"')
        return passed(Code.FIXED, "up by configuration")
