from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.base import Outcome, Status
from healthd.state import CheckRecord
from healthd.tally import DurationsView, Tally
from healthd.verdict import Health, Verdict
from healthd.workers.sieve import REFRESH, Sieve
from tests.support.building import LETTERS, check, outcomes

thresholds = st.sampled_from(["1", "2", "3", "1/2", "2/3", "3/5", "4/7"])
Runs = list[tuple[str, str, int | None, int]]
"""Outcomes: letter, code, weight, and how often in a row."""
runs = st.lists(
    st.tuples(
        st.sampled_from("PPPPPPFFFU"),  # mostly steady
        st.sampled_from(["A", "A", "A", "B"]),
        st.sampled_from([None, None, 1, 2]),
        st.integers(1, 4),
    ),
    max_size=30,
)


def stream(chosen: Runs) -> list[Outcome]:
    """Each has a detail of its own, so that one cannot be taken for another."""
    plain = [
        replace(LETTERS[letter], code=code, weight=weight, factor=weight and weight / 2, degraded=weight == 2)
        for letter, code, weight, n in chosen
        for _ in range(n)
    ]
    return [replace(outcome, detail=str(number)) for number, outcome in enumerate(plain)]


@given(runs, thresholds, thresholds, runs, st.data())
def test_what_stays_behind_changes_nothing(
    chosen: Runs, fall: str, rise: str, before: Runs, data: st.DataObject
) -> None:
    """From whatever state the parent is in: verdict, transitions, their evidence and the wish are as with all outcomes.

    Also where the sieve starts again, where time passes, and where the parent counts an UNKNOWN of its own. Whenever
    one travels, all before it are counted, each once.
    """
    config = check(fall=fall, rise=rise)
    start = CheckRecord(config, Verdict(data.draw(st.sampled_from(Health))))
    for outcome in stream(before):
        start.take(outcome)
    whole, sieved = replace(start), replace(start)
    all_of_them, told = Tally(), Tally()
    sieve, now = Sieve.for_check(config, data.draw(st.sampled_from([0.0, 0.05, REFRESH / 2, REFRESH]))), 0.0
    for outcome in stream(chosen):
        event = data.draw(st.sampled_from(["", "", "", "", "restart", "lost", "later"]))
        if event == "restart":
            sieve.restart()
        if event == "lost":
            sieved.take(LETTERS["U"])
        now += REFRESH if event == "later" else 0.1
        expected = whole.take(outcome)
        spent = data.draw(st.dictionaries(st.sampled_from(["connect", "talk"]), st.floats(0, 10)))
        all_of_them.add("tcp", outcome, spent)
        found = None
        if sieve.lets_through(outcome, now, spent):
            if (repeated := sieve.taken()) is not None:
                told.add_many("tcp", repeated)
            told.add("tcp", outcome, spent)
            assert told.view.outcomes == all_of_them.view.outcomes
            assert_alike(told.view.durations, all_of_them.view.durations)
            found = sieved.take(outcome)
        assert found == expected
        assert (sieved.verdict, sieved.asks) == (whole.verdict, whole.asks)


def assert_alike(some: Mapping[str, DurationsView], others: Mapping[str, DurationsView]) -> None:
    """The order in which seconds are added up may be another one."""
    assert {part: view.counts for part, view in some.items()} == {part: view.counts for part, view in others.items()}
    for part, view in some.items():
        assert view.seconds == pytest.approx(others[part].seconds)


def kept(letters: str, seconds: float = 0.0) -> str:
    """Those of the outcomes that travel, each `seconds` after the one before; a dot where one stays behind."""
    sieve = Sieve.for_check(check(fall="3", rise="2"))
    through = [sieve.lets_through(outcome, seconds * n) for n, outcome in enumerate(outcomes(letters))]
    return "".join(letter if travels else "." for letter, travels in zip(letters, through, strict=True))


def test_steady_outcomes_stay_behind() -> None:
    """After as many as the larger window holds; every change travels, and starts the counting anew."""
    assert kept("PPPPPPPP") == "PPP....."
    assert kept("PPPPPFPPPPP") == "PPP..FPPP.."
    assert kept("FFFFF") == "FFF.."


def test_repeated_unknowns_stay_behind() -> None:
    """The first one says it; they do not count, so what was steady is so still after one more outcome."""
    assert kept("PPPPUUUPP") == "PPP.U..P."


def test_a_steady_outcome_travels_now_and_then() -> None:
    """So that what is shown of it is never older than `REFRESH`."""
    assert kept("PPPPPPPPPP", REFRESH / 2.5) == "PPP..P..P."


def test_a_changed_code_or_weight_travels() -> None:
    """They are shown, or are a wish; a changed detail is not enough."""
    sieve = Sieve.for_check(check(fall="1", rise="1"))
    first = Outcome(Status.PASS, "L7OK", "200", weight=5)
    variants = [
        first,
        first,
        replace(first, detail="204"),
        replace(first, code="L4OK"),
        first,
        replace(first, weight=6),
    ]
    assert [sieve.lets_through(outcome, 0.0) for outcome in variants] == [True, False, False, True, True, True]


def test_repetitions_of_many_checks_are_spread() -> None:
    """The first comes early, at a time of its own; those after it in their full time."""
    for early, times in ((0.0, [0, 10, 20, 30]), (4.0, [0, 6, 16, 26]), (9.0, [0, 1, 11, 21, 31])):
        sieve = Sieve.for_check(check(fall="1", rise="1"), early)
        assert [now for now in range(32) if sieve.lets_through(LETTERS["P"], float(now))] == times
