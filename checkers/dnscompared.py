"""The serial of a zone beside those that other servers of it have."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from checkers.base import CheckEnded, Code, Failed, Target
from checkers.dnsreply import Reply
from checkers.dnsserial import behind, serial_of

Ask = Callable[[Target], Awaitable[Reply]]
"""Asks another server for its record."""


@dataclass(frozen=True, slots=True)
class Serial:
    """One that may be `allowed` behind the others; `detail` is what else was found at its server."""

    number: int
    allowed: int
    detail: str

    async def beside(self, others: Sequence[Target], ask: Ask) -> str:
        """How it stands to what these servers have, in words. They are asked at once, and one alone without a task.

        Raises:
            Failed: it is too far behind one of them, whatever the others say, and whether they say anything.

        """
        if len(others) == 1:
            return await self._beside(others[0], ask)
        tasks = [asyncio.create_task(self._beside(other, ask)) for other in others]
        try:
            return ", ".join(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _beside(self, other: Target, ask: Ask) -> str:
        """That one may be down, which is not the fault of this one: then there is nothing to compare."""
        try:
            reply = await ask(other)
        except CheckEnded as ended:
            return f"not compared with {other.where}: {ended.outcome}"
        newest = serial_of(reply.records[0])
        lag = behind(self.number, newest)
        if lag is None or lag > self.allowed:
            how_far = "not comparable with" if lag is None else f"{lag} behind"
            found = f"serial {self.number} is {how_far} {newest} of {other.where}, max_serial_lag = {self.allowed}"
            raise Failed(Code.L7RSP, f"{found}: {self.detail}")
        words = f"{lag} behind" if lag > 0 else "the same as" if lag == 0 else f"{-lag} ahead of"
        return f"{words} {other.where}"
