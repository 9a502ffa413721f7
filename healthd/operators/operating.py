"""The operator's part of the daemon: what is set for it, kept over a restart, and gone on with."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path

from healthd.model import Table
from healthd.operators.keeper import Keeper, recall
from healthd.operators.operator import Means, Operator
from healthd.plan import Plan
from healthd.remembered import Memory
from healthd.statefile import rounds, running


class Operating:
    def __init__(self, means: Means, state_dir: Path) -> None:
        self.operator = Operator(means)
        self._means = means
        self._state_dir = state_dir
        self._keeper = Keeper(running.path_in(state_dir), means.clock, means.bus, means.controller, self.operator)
        self._memory = Memory()

    def start(self, plan: Plan, actual: Table) -> None:
        """Starts the controller on the table as it is, with what the last run has left."""
        memory = self._memory = recall(self._state_dir, plan, self._means.clock.wall())
        believed = running.believed(memory, plan, actual)
        self._means.controller.start(actual, replace(memory, verdicts=believed))
        with contextlib.suppress(OSError):  # a disk that is read-only; the keeper says so
            rounds.path_in(self._state_dir).unlink(missing_ok=True)

    async def run(self) -> None:
        """Ends what is over, watches what is drained and keeps what is set, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.operator.run())
            group.create_task(self._keeper.run())

    def restore(self) -> None:
        """What was set in the last run goes on, or ends now if its time was over."""
        self.operator.restore(self._memory.frozen, self._memory.drained)
        self._memory = Memory()

    async def close(self) -> None:
        """Keeps everything for the next run."""
        await self._keeper.close()
