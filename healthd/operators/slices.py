"""How work on thousands of servers is done without holding up a check."""

from __future__ import annotations

import asyncio

SLICE = 25
"""Servers that are acted on in one go: one to three milliseconds."""


class Slices:
    """Everybody else has a turn whenever so many servers have been worked on."""

    def __init__(self, size: int = SLICE) -> None:
        self._size = size
        self._worked_on = 0

    async def after(self, servers: int) -> None:
        """Between two steps, of which the last one was about so many servers."""
        self._worked_on += servers
        if self._worked_on >= self._size:
            self._worked_on = 0
            await asyncio.sleep(0)
