from hypothesis import given
from hypothesis import strategies as st

from healthd.engine.wheel import GRID, Wheel


@given(st.lists(st.floats(0, 1e6), max_size=30), st.floats(0, 1e6))
def test_nothing_comes_early_and_nothing_is_lost(times: list[float], now: float) -> None:
    """What was to come until a point of the grid ago has come, in order of the grid; what is still to come has not."""
    wheel: Wheel[float] = Wheel()
    for when in times:
        wheel.put(when, when)
    due = [when for _, items in wheel.due(now) for when in items]
    assert all(when <= now + GRID * 1e-5 for when in due)
    assert {when for when in times if when <= now - GRID} <= set(due)
    rest = [when for _, items in wheel.due(2e6) for when in items]
    assert sorted(due + rest) == sorted(times)
    assert wheel.next is None


def test_a_point_of_the_grid_is_itself() -> None:
    """However it was computed: what is due at a multiple of the grid does not wait for the next one."""
    wheel: Wheel[int] = Wheel()
    for number in range(1000):
        when = 1000 + number * GRID
        assert wheel.put(when, number) == 100_000 + number
        assert [items for _, items in wheel.due(when)] == [[number]]


def test_what_is_put_in_meanwhile_comes_too_if_it_is_due() -> None:
    """A start that leads to another one at the same time needs no second wake-up."""
    wheel: Wheel[str] = Wheel()
    wheel.put(1.0, "first")
    seen = []
    for _, items in wheel.due(2.0):
        seen += items
        if "second" not in seen:
            wheel.put(1.5, "second")
    assert seen == ["first", "second"]
