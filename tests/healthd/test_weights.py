from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.base import Code, Outcome, Status, passed
from healthd.weights import AS_CONFIGURED, AS_USUAL, Damping, Step, Weighed, Wish, asked, damped, share, slowed

HALF = Damping(degraded=0.5, step=Step(0), interval=0.0)
TEN = Damping(step=Step(10, percent=True), interval=10.0)

factors = st.floats(0, 65535)
weights = st.integers(0, 65535)
wishes = st.builds(Wish, st.none() | weights, st.none() | factors, st.booleans(), st.just(value=False))
dampings = st.builds(
    Damping, st.floats(0, 1), st.builds(Step, st.integers(0, 100), percent=st.booleans()), st.floats(0, 100)
)


@pytest.mark.parametrize(
    ("wish", "weight"),
    [
        (Wish(), None),
        (Wish(weight=7), 7),
        (Wish(factor=0.25), 25),
        (Wish(factor=1.0), 100),
        (Wish(factor=2.0), 200),
        (Wish(factor=0.0), 0),
        (Wish(degraded=True), 50),
        (Wish(weight=70, degraded=True), 50),
        (Wish(weight=30, factor=0.4, degraded=True), 30),
    ],
)
def test_the_smallest_of_what_an_outcome_asks_for_counts(wish: Wish, weight: int | None) -> None:
    """A weight, a factor of the configured one, or what being degraded means for the service."""
    assert wish.of(100, 0.5) == weight


def test_being_degraded_is_only_shown_unless_the_service_says_what_it_means() -> None:
    """The default is no change of the weight."""
    assert Wish(degraded=True).of(100, Damping().degraded) is None
    assert asked([Wish(degraded=True)], 100, Damping()) == Weighed(None, degraded=True)


@given(weights, factors)
def test_a_factor_makes_a_weight_that_the_kernel_takes(configured: int, factor: float) -> None:
    """From 0 to 65535; 0 only of nothing, and the configured weight of a factor of 1."""
    weight = share(configured, factor)
    assert 0 <= weight <= 65535
    assert (weight == 0) == (configured == 0 or factor == 0)
    assert share(configured, 1.0) == configured


@given(st.lists(wishes, max_size=4), weights, dampings)
def test_several_checks_get_the_smallest_wish(those: list[Wish], configured: int, damping: Damping) -> None:
    """And the server is degraded when one of them says so."""
    found = asked(those, configured, damping)
    each = [weight for wish in those if (weight := wish.of(configured, damping.degraded)) is not None]
    assert found.wish == (min(each) if each else None)
    assert found.degraded is any(wish.degraded for wish in those)


def adding(*weights: int) -> list[Wish]:
    return [Wish(weight, adds_up=True) for weight in weights]


@pytest.mark.parametrize(
    ("those", "weight"),
    [
        (adding(70), 70),
        (adding(70, 50), 20),
        (adding(70, 50, 20), 0),
        (adding(150, 70), 120),
        (adding(150, 150), 200),
        ([Wish(), *adding(70)], 70),
        ([*adding(70, 50), Wish(15)], 15),
        ([*adding(70, 50), Wish(60), Wish(factor=0.5)], 20),
        ([*adding(90), Wish(90, degraded=True, adds_up=True)], 50),
    ],
)
def test_weights_that_add_up_are_one_wish(those: list[Wish], weight: int) -> None:
    """The configured weight, here 100, and all by which they differ from it; then the smallest wish is heard."""
    assert asked(those, 100, HALF).wish == weight


@pytest.mark.parametrize(
    ("configured", "statuses", "weight"),
    [
        (100, (72, 52), 20),
        (100, (52, 22), 0),
        (100, (2, 152), 50),
        (100, (0, 52), 50),
        (100, (152, 152), 200),
        (1, (12, 7), 14),
        (0, (52, 0), 50),
    ],
)
def test_what_adds_up_is_what_keepalived_puts_into_the_table(
    configured: int, statuses: tuple[int, ...], weight: int
) -> None:
    """Seen with ipvsadm beside keepalived 2.2.7 with two MISC_CHECKs that are misc_dynamic."""
    those = [Wish(status - 2, adds_up=True) if status else Wish() for status in statuses]
    assert asked(those, configured, AS_USUAL).wish == weight


@given(st.lists(st.integers(0, 253), min_size=1, max_size=5), weights)
def test_what_adds_up_adds_up_as_keepalived_does(those: list[int], configured: int) -> None:
    """Exit status e of misc_dynamic adds e - 2 - w to the weight w, in any order, and the kernel's limits hold."""
    found = asked(adding(*those), configured, AS_USUAL).wish
    assert found == asked(adding(*reversed(those)), configured, AS_USUAL).wish
    assert found == sorted((0, configured + sum(those) - configured * len(those), 65535))[1]


def run(damping: Damping, *steps: tuple[float, int | None], configured: int = 100) -> list[int | None]:
    """What holds after each step: at a time, a wish."""
    held, found = AS_CONFIGURED, []
    for now, wish in steps:
        held = damped(held, Weighed(wish), configured, damping, now)
        found.append(held.wish)
    return found


def test_a_small_change_is_no_change() -> None:
    """Of less than the step; the way back to the configured weight is open always."""
    assert run(TEN, (0, 91), (20, 90), (40, 99), (60, 100), (80, 95), (100, None)) == [None, 90, 90, 100, 100, None]


def test_changes_keep_their_distance() -> None:
    """What is put off is taken up later, as it is wished for then."""
    assert run(TEN, (0, 50), (5, 20), (9.9, 30), (10, 40)) == [50, 50, 50, 40]
    assert damped(Weighed(50, at=0.0), Weighed(20), 100, TEN, 5.0) == Weighed(50, at=0.0, pending=True)
    assert damped(Weighed(50, at=0.0, pending=True), Weighed(50), 100, TEN, 6.0) == Weighed(50, at=0.0)


def test_a_server_that_wants_nothing_gets_nothing_at_once() -> None:
    """However small or soon that is; back it comes in its time, whatever the step is."""
    assert run(TEN, (0, 50), (1, 0), (2, 5), (11, 5)) == [50, 0, 0, 5]
    assert run(TEN, (0, 50), (1, 0), (2, None), (11, None)) == [50, 0, 0, None]


def test_being_degraded_is_damped_with_the_weight() -> None:
    """A server whose answers are slow now and then is not told of at each of them."""
    held = damped(AS_CONFIGURED, Weighed(None, degraded=True), 100, TEN, 0.0)
    assert held == Weighed(None, degraded=True, at=0.0)
    assert damped(held, Weighed(None), 100, TEN, 5.0) == held._replace(pending=True)
    assert damped(held, Weighed(None), 100, TEN, 10.0) == Weighed(None, degraded=False, at=10.0)


@given(st.lists(st.tuples(st.floats(0, 30), st.none() | weights), max_size=20), weights, dampings)
def test_no_two_changes_come_too_soon_but_to_nothing(
    steps: list[tuple[float, int | None]], configured: int, damping: Damping
) -> None:
    """And each is as large as it has to be, or to or from 0, or back to the configured weight."""
    held, now, changed = AS_CONFIGURED, 0.0, -math.inf
    for passes, wish in steps:
        now += passes
        before = configured if held.wish is None else held.wish
        held = damped(held, Weighed(wish), configured, damping, now)
        after = configured if held.wish is None else held.wish
        if after != before:
            assert after == (configured if wish is None else wish)
            assert after == 0 or now >= changed + damping.interval
            assert 0 in {before, after} or wish is None or abs(after - before) >= damping.step.of(configured)
            changed = now


@given(st.lists(st.tuples(st.floats(0, 30), wishes), max_size=10), wishes, weights, dampings)
def test_who_keeps_asking_is_heard_in_the_end(
    steps: list[tuple[float, Wish]], last: Wish, configured: int, damping: Damping
) -> None:
    """After the interval nothing is pending, and what holds is what is asked for, to less than a step."""
    held, now = AS_CONFIGURED, 0.0
    for passes, wish in steps:
        now += passes
        held = damped(held, asked([wish], configured, damping), configured, damping, now)
    wanted = asked([last], configured, damping)
    now = max(now, held.at + damping.interval if held.at > -math.inf else 0.0)
    held = damped(held, wanted, configured, damping, now)
    assert not held.pending
    assert held.degraded is wanted.degraded
    have, want = (configured if wish is None else wish for wish in (held.wish, wanted.wish))
    assert have == want or abs(have - want) < damping.step.of(configured)


def test_a_slow_answer_is_degraded() -> None:
    """The detail says by how much; what failed, or could not be asked, is not."""
    outcome = replace(passed(Code.L7OK, "200 OK"), seconds=0.412)
    slow = slowed(outcome, 0.3)
    assert slow == replace(outcome, detail="slow: 412 ms, more than 300 ms; 200 OK", degraded=True)
    assert slowed(slow, 0.3) is slow
    for status in (Status.FAIL, Status.UNKNOWN):
        other = Outcome(status, Code.L7RSP, seconds=5.0)
        assert slowed(other, 0.3) is other


def test_what_is_asked_for_in_words() -> None:
    """For `healthd probe` and `healthd explain`."""
    assert str(Wish()) == ""
    assert str(Wish(weight=0)) == "asks for weight 0"
    assert str(Wish(7, adds_up=True)) == "asks for weight 7, which adds up with that of other such checks"
    assert str(Wish(3, 0.125, degraded=True)) == "degraded, asks for weight 3 and 12.5% of its weight"
