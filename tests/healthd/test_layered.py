from __future__ import annotations

from collections import UserDict
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from healthd.layered import Layered

CHANGES = st.lists(st.tuples(st.integers(0, 99), st.integers() | st.none()), max_size=300)


@given(st.dictionaries(st.integers(0, 99), st.integers()), CHANGES, st.integers(1, 50))
def test_it_is_a_dictionary_of_which_every_state_lives_on(
    base: dict[int, int], changes: list[tuple[int, int | None]], looked_at_every: int
) -> None:
    """After any changes it has what a dictionary would have, and so have all that came before it."""
    plain, layered = dict(base), Layered.of(base)
    states = [(dict(plain), layered)]
    for number, (key, value) in enumerate(changes):
        if value is None:
            plain.pop(key, None)
            layered = layered.without(key)
        else:
            plain[key] = value
            layered = layered.with_item(key, value)
        states.append((dict(plain), layered))
        assert (key in layered) == (key in plain)
        assert layered.get(key) == plain.get(key)
        if number % looked_at_every == 0:
            assert len(layered) == len(plain)
    for expected, found in states:
        assert found == expected
        assert expected == found
        assert dict(found.items()) == expected
        assert list(found) == list(found.keys())
        assert sorted(found.values()) == sorted(expected.values())
    assert base == states[0][0]


class Counted(UserDict[int, int]):
    """Counts how often somebody goes through it."""

    gone_through = 0

    def __iter__(self) -> Iterator[int]:
        self.gone_through += 1
        return super().__iter__()


def test_a_change_does_not_go_through_all() -> None:
    """What it is there for: sixty-three changes of ten thousand items copy none of these."""
    base = Counted((number, 0) for number in range(10_000))
    layered: Layered[int, int] = Layered.of(base)
    for number in range(63):
        layered = layered.with_item(number, 1)
        assert layered[number] == 1
        assert layered[9999] == 0
    assert base.gone_through == 0
    assert sum(layered.values()) == 63
    assert base.gone_through == 1
