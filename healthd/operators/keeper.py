"""Keeps what must survive a restart in a file: after every act of an operator, after changes, and at the end.

What the disk does holds up nobody: the file is written in a thread, and one that cannot be written is said once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

from checkers.base import Outcome
from healthd.clock import Clock, Timer
from healthd.config.values import CheckConfig
from healthd.controller import Controller
from healthd.events import Act, ActRefused, AlertTested, Bus, CheckAsked, Event, ReloadAsked, Reloaded, ServerEvent
from healthd.model import VirtualService
from healthd.operators.operator import Operator
from healthd.overrides import Override
from healthd.plan import JobId, Plan, job_id
from healthd.remembered import Key, Memory, Past
from healthd.state import ServerRecord
from healthd.statefile import rounds, running
from healthd.verdict import Health, Verdict

log = logging.getLogger(__name__)

PACE = 1.0
"""Seconds between two writings at least, where no operator has done anything."""

SLICE = 250
"""Servers that are looked at in one go: one to three milliseconds."""

Checks = dict[JobId, CheckConfig]


class Keeper:
    def __init__(self, path: Path, clock: Clock, bus: Bus, controller: Controller, operator: Operator) -> None:
        self._path = path
        self._clock = clock
        self._controller = controller
        self._operator = operator
        self._told = bus.subscribe()
        self._due = asyncio.Event()
        self._timer: Timer | None = None
        self._written_at = clock.monotonic() - PACE
        self._writing: asyncio.Future[None] | None = None
        self._closed = False
        self._trouble = ""

    async def run(self) -> None:
        """Writes for ever what changes."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            while True:
                await self._due.wait()
                self._due.clear()
                self._written_at = self._clock.monotonic()
                found = await _slowly(_keep(self._controller, self._operator, exact=False))
                if not self._closed:
                    await self._write(*found)

    async def close(self) -> None:
        """Writes for the last time, with all that is open: the next run goes on counting where this one ended."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._writing is not None:
            await asyncio.wait([self._writing])
        await self._write(*await _slowly(_keep(self._controller, self._operator, exact=True)))

    async def _listen(self) -> None:
        while True:
            event = await self._told.get()
            if _is_act(event):
                self._due.set()
            elif isinstance(event, ServerEvent | Reloaded) and self._timer is None:
                self._timer = self._clock.call_at(self._written_at + PACE, self._strike)

    def _strike(self) -> None:
        self._timer = None
        self._due.set()

    async def _write(self, memory: Memory, checks: Checks) -> None:
        """Who is cancelled meanwhile leaves the writing to come to its end."""
        writing = asyncio.to_thread(running.save, self._path, memory, checks, self._clock.wall())
        self._writing = asyncio.ensure_future(writing)
        try:
            await asyncio.shield(self._writing)
            trouble = ""
        except OSError as error:
            trouble = f"{self._path} cannot be written ({error.strerror}): a restart would forget what operators set"
        if trouble and trouble != self._trouble:
            log.error("%s", trouble)
        elif self._trouble and not trouble:
            log.info("%s can be written again", self._path)
        self._trouble = trouble


def recall(state_dir: Path, plan: Plan, now: float) -> Memory:
    """What the last run has left to go on from, as far as it is still configured. What is lost is said."""
    memory, trouble = running.load(running.path_in(state_dir), plan.jobs, now)
    if trouble:
        log.error("%s", trouble)
    for (service, server), override in memory.overrides.items():
        if service not in plan.services or all(server != known.endpoint for known in plan.services[service].servers):
            what = override.admin.value if override.held else f"weight {override.weight}"
            log.warning("%s: server %s is no longer configured: forgotten that it has %s", service, server, what)
    counted = rounds.saved_at(rounds.path_in(state_dir))
    if counted is not None and counted > memory.at:
        return replace(memory, verdicts={})  # `healthd check --once` has been here since, and knows better
    return memory


def _is_act(event: Event) -> bool:
    """Whether an operator has changed something, or time has for him."""
    return isinstance(event, Act) and not isinstance(event, ActRefused | AlertTested | CheckAsked | ReloadAsked)


async def _slowly(slices: Generator[None, None, tuple[Memory, Checks]]) -> tuple[Memory, Checks]:
    while True:
        try:
            next(slices)
        except StopIteration as done:
            found: tuple[Memory, Checks] = done.value
            return found
        await asyncio.sleep(0)


def _keep(controller: Controller, operator: Operator, *, exact: bool) -> Generator[None, None, tuple[Memory, Checks]]:
    """What is to be kept, with the checks that the verdicts are of.

    Only with `exact` it has what is still open of a verdict: that would be wrong by the time of a crash.
    """
    verdicts: dict[JobId, Verdict] = {}
    causes: dict[JobId, Outcome] = {}
    checks: Checks = {}
    pasts: dict[Key, Past] = {}
    overrides: dict[Key, Override] = {}
    number = 0
    for name, record in list(controller.services.items()):
        virtual = controller.desired.services.get(record.config.key, VirtualService())
        for endpoint, server in list(record.servers.items()):
            number += 1
            if number % SLICE == 0:
                yield
            destination = virtual.destinations.get(endpoint)
            found = () if destination and destination.weight and _is_plain(server, exact=exact) else server.checks
            decided = [check for check in found if check.verdict.health is not Health.UNDECIDED]
            for check in decided:
                job = job_id(record.config, endpoint, check.config)
                verdicts[job] = check.verdict if exact else Verdict(check.verdict.health)
                checks[job] = check.config
                if check.cause is not None:
                    causes[job] = check.cause
            if decided or server.transitions:
                pasts[name, endpoint] = Past(server.since, server.transitions)
            if server.override is not None:
                overrides[name, endpoint] = operator.dated((name, endpoint), server.override)
    return Memory(verdicts, causes, pasts, overrides, operator.drained, operator.frozen), checks


def _is_plain(server: ServerRecord, *, exact: bool) -> bool:
    """Whether the table alone says of a server with weight what there is to know.

    One that is down has it by `all_down = "all"`.
    """
    if server.override is not None or server.health is Health.DOWN:
        return False
    return not (exact and any(check.verdict.recent for check in server.checks))
