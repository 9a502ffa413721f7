"""One round of every check, and the table reconciled once: `healthd check --once`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from healthd import descriptors, edits, plan
from healthd.clock import Clock
from healthd.config.values import Config
from healthd.controller import Controller
from healthd.engine.boundary import run_check
from healthd.engine.lost import Vigil
from healthd.events import Bus, Event, TableError
from healthd.ipvs import Ipvs
from healthd.model import Table
from healthd.operators.acting import left_of, standing
from healthd.overrides import Freeze, Override
from healthd.plan import Job, Plan
from healthd.reconcile import Reconciler
from healthd.remembered import Key, Memory
from healthd.slot import TASK_NEEDS
from healthd.snapshot import Snapshot
from healthd.statefile import rounds, running

AT_ONCE = 200
"""Checks under way at the same time, if there are descriptors for so many."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round found and did. `edits` were carried out or, in a dry run, would be; `errors` are the table's."""

    snapshot: Snapshot
    edits: tuple[str, ...]
    errors: tuple[str, ...]
    events: tuple[Event, ...]


def left_behind(config: Config, clock: Clock) -> Table:
    """The table that the run before this one left, by what is remembered of it; empty if nothing is.

    A table in memory ends with its process: with this one the next run finds it again.
    """
    remembered = rounds.load(rounds.path_in(config.settings.state_dir), clock.wall())
    if not remembered:
        return Table()
    planned = plan.make(config)
    overrides, _ = _left_by_operators(config, planned, clock)
    controller = Controller(planned, clock, Bus(), lambda table, retired: None)  # noqa: ARG005 - nobody is to edit
    controller.start(Table(), Memory(remembered, overrides=overrides))
    return controller.desired


async def run_round(config: Config, ipvs: Ipvs, clock: Clock, *, dry_run: bool) -> Round:
    """Checks every server once and holds the table true to the verdicts; a dry run changes and keeps nothing.

    Raises:
        IpvsUnavailable: the table cannot be read.
        OSError: the counters cannot be kept; the table is reconciled all the same.
    """
    path = rounds.path_in(config.settings.state_dir)
    planned = plan.make(config)
    bus = Bus()
    told = bus.subscribe()
    reconciler = Reconciler(ipvs, clock, bus, resync=config.settings.resync)
    reconciler.names = planned.names
    controller = Controller(planned, clock, bus, reconciler.submit)
    actual = ipvs.read(planned.keys)
    overrides, frozen = _left_by_operators(config, planned, clock)
    controller.start(actual, Memory(rounds.load(path, clock.wall()), overrides=overrides))
    await _check_all(list(planned.jobs.values()), controller, clock)
    todo = tuple(map(str, edits.diff(controller.desired, actual)))
    if dry_run:
        return Round(controller.snapshot, todo, (), ())
    if frozen is not None:
        controller.frozen = frozen
        rounds.save(path, controller.verdicts, clock.wall())
        return Round(controller.snapshot, (), _held_back(frozen, todo), tuple(iter(told.get_nowait, None)))
    done = tuple(map(str, reconciler.converge()))  # first, so that a full disk keeps no sick server in the table
    rounds.save(path, controller.verdicts, clock.wall())
    happened = tuple(iter(told.get_nowait, None))
    errors = tuple(error for event in happened if isinstance(event, TableError) for error in event.errors)
    return Round(controller.snapshot, done, errors, happened)


def _left_by_operators(config: Config, planned: Plan, clock: Clock) -> tuple[dict[Key, Override], Freeze | None]:
    """What operators have set in a daemon that ran here before: it holds until its time is over."""
    memory, _ = running.load(running.path_in(config.settings.state_dir), planned.jobs, clock.wall())
    frozen = memory.frozen if memory.frozen and left_of(memory.frozen, clock.wall()) != 0 else None
    return standing(memory.overrides, clock.wall()), frozen


def _held_back(frozen: Freeze, todo: tuple[str, ...]) -> tuple[str, ...]:
    """That the table is not as it should be is an error, whoever wants it so."""
    return tuple(f"not done, the table is frozen by {frozen.who}: {edit}" for edit in todo)


async def _check_all(jobs: list[Job], controller: Controller, clock: Clock) -> None:
    places = asyncio.Semaphore(max(1, min(AT_ONCE, descriptors.for_checks() // TASK_NEEDS)))
    vigil = Vigil(clock)

    async def check(job: Job) -> None:
        async with places:
            outcome = await run_check(job.check.checker, job.target, job.check.timeout, clock, vigil)
        controller.record(job, outcome)

    async with asyncio.TaskGroup() as group:
        for job in jobs:
            group.create_task(check(job))
