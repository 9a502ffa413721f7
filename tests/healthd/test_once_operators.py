"""Single rounds after a daemon of which operators have asked something."""

from __future__ import annotations

from pathlib import Path

import pytest

from healthd.overrides import Admin, Freeze, Override
from healthd.remembered import Memory
from healthd.statefile import running
from tests.support.building import A, B
from tests.support.rounds import Cron


@pytest.fixture
def cron(tmp_path: Path) -> Cron:
    return Cron(tmp_path, weights={A: 1, B: 1})


def daemon_left(cron: Cron, tmp_path: Path, memory: Memory) -> None:
    running.save(running.path_in(tmp_path), memory, {}, cron.clock.wall())


async def test_what_an_operator_drained_stays_drained(cron: Cron, tmp_path: Path) -> None:
    """The daemon that he told has stopped: its state file holds for single rounds too, however long ago that was."""
    daemon_left(cron, tmp_path, Memory(overrides={("web", A): Override(admin=Admin.DRAIN, who="root")}))
    for _ in range(3):
        await cron.run()
        assert cron.weights == {A: 0, B: 1}
    assert running.path_in(tmp_path).exists()


async def test_maintenance_ends_for_single_rounds_too(cron: Cron, tmp_path: Path) -> None:
    """By its time, and the server comes back if it passes."""
    now = cron.clock.wall()
    override = Override(admin=Admin.MAINTENANCE, since=now, until=now + 90, who="root")
    daemon_left(cron, tmp_path, Memory(overrides={("web", A): override}))
    await cron.run()
    assert cron.weights == {B: 1}
    await cron.run()
    assert cron.weights == {A: 1, B: 1}


async def test_a_frozen_table_is_left_alone(cron: Cron, tmp_path: Path) -> None:
    """Counting goes on, and what is held back is said as an error: the table is not as it should be."""
    frozen = Freeze(since=0.0, until=None, who="root", reason="")
    daemon_left(cron, tmp_path, Memory(frozen=frozen))
    for _ in range(2):
        assert (await cron.run(a="F")).errors == ()
    third = await cron.run(a="F")
    assert third.edits == ()
    assert third.errors == ("not done, the table is frozen by root: -d -t 192.168.7.110:80 -r 10.0.0.1:80",)
    assert cron.weights == {A: 1, B: 1}
    running.path_in(tmp_path).unlink()
    await cron.run(a="F")
    assert cron.weights == {B: 1}
