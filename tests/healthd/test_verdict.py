from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.base import Outcome, Status
from healthd.model import Threshold
from healthd.verdict import Health, Transition, Verdict, step
from tests.support.building import FAIL, PASS, UNKNOWN, outcomes, threshold

LETTER = {Health.UNDECIDED: "?", Health.UP: "+", Health.DOWN: "-"}


def run(letters: str, fall: str, rise: str, start: Health = Health.UP) -> str:
    """The health after each outcome, as `+` for up, `-` for down, `?` for undecided."""
    verdict = Verdict(start)
    seen = ""
    for outcome in outcomes(letters):
        verdict, _ = step(verdict, outcome, fall=threshold(fall), rise=threshold(rise))
        seen += LETTER[verdict.health]
    return seen


@pytest.mark.parametrize(
    ("fall", "letters", "seen"),
    [
        ("1", "F", "-"),
        ("3", "FF", "++"),
        ("3", "FFF", "++-"),
        ("3", "FFPFF", "+++++"),
        ("3", "FFPFFF", "+++++-"),
        ("3", "PPPFPFFF", "+++++++-"),
        ("3/5", "FPFPF", "++++-"),
        ("3/5", "FFPPF", "++++-"),
        ("3/5", "FPPFF", "++++-"),
        ("3/5", "FPPPFF", "++++++"),
        ("3/5", "FPPPFFF", "++++++-"),
        ("3/5", "FPFPPF", "++++++"),
        ("3/5", "FPFPPFF", "++++++-"),
        ("3/5", "FPPPPFPPPPFPPPP", "+++++++++++++++"),
        ("3/5", "FFF", "++-"),
    ],
)
def test_rule_2_of_the_design_a_server_falls_at_n_failures_of_m(fall: str, letters: str, seen: str) -> None:
    """`fall = 3` is three in a row, `"3/5"` three among the last five; fewer leave the server up."""
    assert run(letters, fall, "2") == seen


@pytest.mark.parametrize(
    ("rise", "letters", "seen"),
    [
        ("1", "P", "+"),
        ("2", "P", "-"),
        ("2", "PP", "-+"),
        ("2", "PFP", "---"),
        ("2", "PFPP", "---+"),
        ("2/3", "PFP", "--+"),
        ("2/3", "PFFP", "----"),
        ("2/3", "PFFPP", "----+"),
    ],
)
def test_a_server_rises_at_n_passes_of_m(rise: str, letters: str, seen: str) -> None:
    """`rise` counts passes as `fall` counts failures."""
    assert run(letters, "3", rise, Health.DOWN) == seen


@pytest.mark.parametrize(("letters", "seen"), [("P", "+"), ("F", "-"), ("UUP", "??+"), ("UF", "?-")])
def test_an_undecided_server_is_decided_by_its_first_outcome(letters: str, seen: str) -> None:
    """The first outcome decides, whatever `fall` and `rise` are; UNKNOWN is none."""
    assert run(letters, "3", "2", Health.UNDECIDED) == seen


@pytest.mark.parametrize(
    ("fall", "rise", "letters", "seen"),
    [
        ("3", "2", "FFFPPFFF", "++--+++-"),
        ("3", "2", "FFFPPFFFPP", "++--+++--+"),
        ("3/5", "1", "FFFPFF", "++-+++"),
        ("1", "2/3", "FPPFP", "--+--"),
    ],
)
def test_a_change_forgets_what_led_to_it(fall: str, rise: str, letters: str, seen: str) -> None:
    """Failures of before are not held against a server that has come back, nor passes for one that falls again."""
    assert run(letters, fall, rise) == seen


def test_a_transition_carries_the_outcomes_that_decided_it() -> None:
    """Oldest first, and only those that speak for the change."""
    first, second, third = (Outcome(Status.FAIL, "L4CON", number) for number in "123")
    verdict = Verdict(Health.UP)
    for outcome in (first, PASS, second, PASS):
        verdict, transition = step(verdict, outcome, fall=Threshold(3, 5), rise=Threshold(2, 2))
        assert transition is None
    verdict, transition = step(verdict, third, fall=Threshold(3, 5), rise=Threshold(2, 2))
    assert verdict == Verdict(Health.DOWN)
    assert transition == Transition(Health.UP, Health.DOWN, (first, second, third))


def test_the_first_verdict_is_a_transition_too() -> None:
    """From undecided to decided is a change, by one outcome."""
    verdict, transition = step(Verdict(), PASS, fall=Threshold(3, 3), rise=Threshold(2, 2))
    assert verdict == Verdict(Health.UP)
    assert transition == Transition(Health.UNDECIDED, Health.UP, (PASS,))


@pytest.mark.parametrize(
    ("start", "letters", "settled"),
    [
        (Health.UNDECIDED, "", False),
        (Health.UNDECIDED, "U", False),
        (Health.UNDECIDED, "P", True),
        (Health.UP, "", True),
        (Health.UP, "PP", True),
        (Health.UP, "F", False),
        (Health.UP, "FP", True),
        (Health.UP, "FU", False),
        (Health.UP, "FFF", True),
        (Health.DOWN, "F", True),
        (Health.DOWN, "P", False),
        (Health.DOWN, "PF", True),
        (Health.DOWN, "PP", True),
    ],
)
def test_a_verdict_is_settled_while_nothing_speaks_against_it(start: Health, letters: str, settled: bool) -> None:  # noqa: FBT001 - the expected value
    """After a first contrary outcome the question is open until it is decided, either way."""
    verdict = Verdict(start)
    for outcome in outcomes(letters):
        verdict, _ = step(verdict, outcome, fall=Threshold(3, 3), rise=Threshold(2, 2))
    assert verdict.settled is settled


def test_a_window_keeps_the_question_open_as_long_as_it_can_be_answered() -> None:
    """With 3/5 one failure is of no account once two of the last five can no longer become three."""
    verdict = Verdict(Health.UP)
    seen = []
    for outcome in outcomes("FPPP"):
        verdict, _ = step(verdict, outcome, fall=Threshold(3, 5), rise=Threshold(2, 2))
        seen.append(verdict.settled)
    assert seen == [False, False, False, True]


thresholds = st.integers(1, 6).flatmap(lambda window: st.builds(Threshold, st.integers(1, window), st.just(window)))
decided = st.text("PF", max_size=40)
healths = st.sampled_from(Health)


class Reference:
    """The rule as the manual states it: all outcomes since the last change, the last `window` of them counted."""

    def __init__(self, health: Health, fall: Threshold, rise: Threshold) -> None:
        self.health = health
        self._fall, self._rise = fall, rise
        self._since: list[Outcome] = []

    def take(self, outcome: Outcome) -> None:
        self._since.append(outcome)
        if self.health is Health.UNDECIDED:
            self._become(Health.UP if outcome is PASS else Health.DOWN)
        elif self.health is Health.UP and self._counts(FAIL, self._fall):
            self._become(Health.DOWN)
        elif self.health is Health.DOWN and self._counts(PASS, self._rise):
            self._become(Health.UP)

    def _counts(self, wanted: Outcome, threshold: Threshold) -> bool:
        return self._since[-threshold.window :].count(wanted) >= threshold.count

    def _become(self, health: Health) -> None:
        self.health = health
        self._since = []


@given(decided, thresholds, thresholds, healths)
def test_the_verdict_is_that_of_the_whole_history(
    letters: str, fall: Threshold, rise: Threshold, start: Health
) -> None:
    """What is forgotten of the past would never have changed a decision."""
    verdict, reference = Verdict(start), Reference(start, fall, rise)
    for outcome in outcomes(letters):
        before = verdict.health
        verdict, transition = step(verdict, outcome, fall=fall, rise=rise)
        reference.take(outcome)
        assert verdict.health is reference.health
        assert (transition is not None) == (verdict.health is not before)
        assert len(verdict.recent) < max(fall.window, rise.window)


@given(decided, thresholds, thresholds, healths, st.integers(0, 10))
def test_settled_means_that_one_more_good_outcome_changes_nothing(
    letters: str, fall: Threshold, rise: Threshold, start: Health, more: int
) -> None:
    """A settled check has the same state as one that has always been so: nothing of its past is kept."""
    verdict = Verdict(start)
    for outcome in outcomes(letters):
        verdict, _ = step(verdict, outcome, fall=fall, rise=rise)
    if verdict.settled:
        assert verdict == Verdict(verdict.health)
        usual = PASS if verdict.health is Health.UP else FAIL
        for _ in range(more):
            assert step(verdict, usual, fall=fall, rise=rise) == (verdict, None)


@given(st.text("PFU", max_size=40), thresholds, thresholds, healths)
def test_rule_1_of_the_design_unknown_changes_nothing_anywhere(
    letters: str, fall: Threshold, rise: Threshold, start: Health
) -> None:
    """With the UNKNOWN outcomes taken out of any history the verdicts are the same."""

    def last(script: str) -> Verdict:
        verdict = Verdict(start)
        for outcome in outcomes(script):
            verdict, _ = step(verdict, outcome, fall=fall, rise=rise)
        return verdict

    assert last(letters) == last(letters.replace("U", ""))


@given(st.text("PF", max_size=10), thresholds, thresholds, healths)
def test_an_unknown_outcome_is_no_transition(letters: str, fall: Threshold, rise: Threshold, start: Health) -> None:
    """Wherever it comes, the verdict after it is the one before it."""
    verdict = Verdict(start)
    for outcome in outcomes(letters):
        verdict, _ = step(verdict, outcome, fall=fall, rise=rise)
    assert step(verdict, UNKNOWN, fall=fall, rise=rise) == (verdict, None)
