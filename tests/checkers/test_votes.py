from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from checkers.outcome import Code, Outcome, Status, passed
from checkers.votes import Vote, counted, wish_of

answers = st.sampled_from([Status.PASS, Status.FAIL, Status.UNKNOWN])
ballots = st.lists(st.tuples(st.integers(1, 5), st.none() | answers), min_size=1, max_size=5)


def votes(*cast: tuple[int, Status | None]) -> list[Vote]:
    return [Vote(str(n), weight, status and Outcome(status, Code.L4OK)) for n, (weight, status) in enumerate(cast)]


@given(ballots, st.integers(1, 25))
def test_nothing_is_told_that_could_come_out_otherwise(cast: list[tuple[int, Status | None]], needed: int) -> None:
    """Three-valued logic: PASS and FAIL hold whatever the truth about those is of which nothing is known.

    And while some have not answered the whole is open exactly as long as their answers can change it.
    """
    waiting = [n for n, (_, status) in enumerate(cast) if status is None]
    ends = set()
    for answered in itertools.product([Status.PASS, Status.FAIL, Status.UNKNOWN], repeat=len(waiting)):
        whole = list(cast)
        for n, status in zip(waiting, answered, strict=True):
            whole[n] = (cast[n][0], status)
        ends.add(_truth(whole, needed))
    found = counted(votes(*cast), needed)
    if found is None:
        assert waiting
        assert len(ends) > 1
    else:
        assert ends == {found}


def _truth(cast: list[tuple[int, Status | None]], needed: int) -> Status:
    """By trying both for each UNKNOWN."""
    unknown = [weight for weight, status in cast if status is Status.UNKNOWN]
    won = sum(weight for weight, status in cast if status is Status.PASS)
    ends = {
        won + sum(itertools.compress(unknown, chosen)) >= needed
        for chosen in itertools.product([0, 1], repeat=len(unknown))
    }
    if len(ends) > 1:
        return Status.UNKNOWN
    return Status.PASS if ends.pop() else Status.FAIL


def test_any_all_and_at_least() -> None:
    """One vote, all votes, or so many."""
    mixed = votes((1, Status.PASS), (2, Status.FAIL), (3, Status.UNKNOWN))
    assert [counted(mixed, needed) for needed in (1, 2, 4, 5, 6)] == [
        Status.PASS,
        Status.UNKNOWN,
        Status.UNKNOWN,
        Status.FAIL,
        Status.FAIL,
    ]


def test_the_smallest_wish_counts() -> None:
    """Of those that have answered, and degraded is the whole when one is."""
    found = [
        Vote("a", 1, passed(Code.L7OK, weight=7, factor=0.5)),
        Vote("b", 1, passed(Code.L7OK, weight=3, factor=0.9, degraded=True)),
        Vote("c", 1),
    ]
    assert wish_of(found) == (3, 0.5, True)
    assert wish_of(found[2:]) == (None, None, False)
