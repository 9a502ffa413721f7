from __future__ import annotations

import pytest

from healthd.clock import ManualClock
from healthd.engine.lost import HEARTBEAT, USUAL, LostTime, Vigil


def test_what_a_gap_between_looks_has_beyond_the_usual_is_lost() -> None:
    """Each for itself, and the one that may be going on too."""
    lost = LostTime()
    lost.begin(100.0)
    for now in (100.05, 100.05 + USUAL, 102.05 + 2 * USUAL):
        lost.look(now)
    assert lost.total == pytest.approx(2.0)
    assert lost.until(102.05 + 3 * USUAL) == pytest.approx(2.0)
    assert lost.until(103.05 + 3 * USUAL) == pytest.approx(3.0)


def test_time_without_anything_to_look_at_is_not_lost() -> None:
    """Nobody missed anything."""
    lost = LostTime()
    lost.begin(100.0)
    lost.begin(500.0)
    lost.look(500.05)
    assert lost.total == 0.0


async def test_a_vigil_is_kept_while_a_check_is_under_way_and_no_longer() -> None:
    """Whatever lies between two checks; and its timer ends with them."""
    clock = ManualClock()
    vigil = Vigil(clock)
    vigil.begin()
    await clock.advance(5)
    vigil.end()
    clock._now += 100
    before = vigil.begin()
    await clock.advance(5)
    assert vigil.lost == before == 0.0
    vigil.end()
    await clock.advance(2 * HEARTBEAT)
    assert clock._timers == []


async def test_looks_that_are_always_a_little_late_lose_nothing() -> None:
    """A busy machine; else a server that hangs would be excused by the sum of milliseconds."""
    clock = ManualClock()
    vigil = Vigil(clock)
    vigil.begin()
    for _ in range(1000):
        await clock.advance(0)
        clock._now += HEARTBEAT + 0.025
    assert vigil.lost == 0.0


async def test_a_vigil_notices_that_the_process_was_stopped() -> None:
    """In the midst of several checks, of which one begins after it."""
    clock = ManualClock()
    vigil = Vigil(clock)
    first = vigil.begin()
    await clock.advance(0.2)
    clock._now += 3.0
    second = vigil.begin()
    await clock.advance(0.2)
    assert vigil.lost - first == pytest.approx(3.0 - USUAL, abs=HEARTBEAT)
    assert vigil.lost - second == pytest.approx(0.0)
