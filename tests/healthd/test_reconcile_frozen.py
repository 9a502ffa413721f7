from __future__ import annotations

import pytest

from healthd.edits import DeleteDestination, EditDestination
from healthd.model import Destination
from healthd.reconcile import SLICE
from tests.support.building import KEY, A, B
from tests.support.reconciling import GOOD, RESYNC, Running, table

LIGHT = table((A, 1), (B, 5))


async def test_a_frozen_table_is_compared_and_not_edited() -> None:
    """What would be done is shown; thawing does it at once."""
    run = Running(GOOD)
    async with run.going(GOOD):
        run.reconciler.freeze()
        await run.submit(LIGHT)
        assert run.table == GOOD
        assert [str(edit) for edit in run.reconciler.pending] == ["-e -t 192.168.7.110:80 -r 10.0.0.2:80 -m -w 5"]
        await run.submit(GOOD)
        assert run.reconciler.pending == ()
        await run.submit(LIGHT)
        run.reconciler.thaw()
        await run.clock.advance(0.1)
        assert run.table == LIGHT
        assert run.reconciler.pending == ()


async def test_a_foreign_edit_is_told_and_left_alone_until_it_is_thawed() -> None:
    """It is seen at the next reading, told once, and found by the fresh reading that thawing begins with."""
    run = Running(GOOD)
    async with run.going(GOOD):
        run.reconciler.freeze()
        run.ipvs.by_hand(EditDestination(KEY, A, Destination(weight=9)))
        await run.clock.advance(3 * RESYNC)
        drift = "192.168.7.110:80/tcp real server 10.0.0.1:80: weight 1 to 9"
        assert run.told() == [f"table was changed by someone else, left so while it is frozen: {drift}"]
        assert run.table == table((A, 9), (B, 1))
        assert len(run.reconciler.pending) == 1
        assert run.reconciler.answered_at == pytest.approx(run.clock.monotonic(), abs=1.0)
        run.ipvs.by_hand(DeleteDestination(KEY, B))
        run.reconciler.thaw()
        await run.clock.advance(0.1)
        assert run.table == GOOD


async def test_freezing_stops_what_is_under_way() -> None:
    """A large change is left off at the next pause, and ended when it is thawed."""
    many = table(*((A._replace(port=port), 1) for port in range(1, 3 * SLICE)))
    run = Running(many)
    async with run.going(many):
        other = table(*((A._replace(port=port), 2) for port in range(1, 3 * SLICE)))
        run.reconciler.submit(other)
        slices = run.reconciler._slices([])
        next(slices)
        run.reconciler.freeze()
        for _ in slices:
            pass
        done = sum(found.weight == 2 for found in run.table.services[KEY].destinations.values())
        assert done == SLICE
        await run.clock.advance(0.1)
        assert len(run.reconciler.pending) == 3 * SLICE - 1 - SLICE
        run.reconciler.thaw()
        await run.clock.advance(0.1)
        assert run.table == other


async def test_what_was_refused_before_stays_told_while_it_is_frozen() -> None:
    """Nothing is tried, so nothing is better: only after the thaw it can be."""
    run = Running(GOOD)
    async with run.going(GOOD):
        run.ipvs.refuses = lambda _: True
        await run.submit(LIGHT)
        assert len(run.reconciler.errors) == 1
        run.ipvs.refuses = lambda _: False
        run.reconciler.freeze()
        await run.clock.advance(3 * RESYNC)
        assert run.reconciler.errors
        run.reconciler.thaw()
        await run.clock.advance(0.1)
        assert not run.reconciler.errors
        assert run.told()[-1] == "table is as it should be again"
