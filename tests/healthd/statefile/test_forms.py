from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.always import Always
from checkers.base import Checker
from healthd.overrides import Admin, Freeze, Override, SetWeight
from healthd.statefile.forms import fingerprint, freeze_form, freeze_of, override_form, override_of
from tests.support.building import check

TIMES = st.floats(0, 1e11)
OVERRIDES = st.builds(
    Override,
    admin=st.sampled_from(Admin),
    weight=st.none() | st.builds(SetWeight, st.integers(0, 65535), st.booleans(), TIMES, st.text(), st.text()),
    cut=st.booleans(),
    since=TIMES,
    until=st.none() | TIMES,
    who=st.text(),
    reason=st.text(),
)


@given(OVERRIDES)
def test_an_override_comes_back_as_it_was(override: Override) -> None:
    """Through JSON; who set the weight too, which makes no difference to whether two are equal."""
    found = override_of(json.loads(json.dumps(override_form(override))))
    assert (found, repr(found)) == (override, repr(override))


@given(st.builds(Freeze, since=TIMES, until=st.none() | TIMES, who=st.text(), reason=st.text()))
def test_a_freeze_comes_back_as_it_was(freeze: Freeze) -> None:
    """Likewise."""
    assert freeze_of(json.loads(json.dumps(freeze_form(freeze)))) == freeze


@pytest.mark.parametrize(
    "change",
    [
        {"admin": "gone"},
        {"since": "NaN"},
        {"since": None},
        {"until": "inf"},
        {"weight": {"value": 70000, "percent": False}},
        {"weight": {"value": "5", "percent": False}},
        {"weight": 5},
    ],
)
def test_what_is_no_override_is_refused(change: dict[str, object]) -> None:
    """Nothing in the file becomes a weight or a time that the rest would stumble over."""
    with pytest.raises((ValueError, TypeError)):
        override_of(override_form(Override()) | change)


@dataclass(frozen=True, kw_only=True)
class Odd(Checker):
    """Options of kinds that print differently each time, and a secret."""

    words: frozenset[str] = frozenset()
    table: dict[str, object] = field(default_factory=dict)
    foreign: object = None
    secret: str = field(default="", repr=False)


def test_another_check_has_another_fingerprint() -> None:
    """What it asks, and how many answers decide; not how often, and no secret."""
    odd = Odd(words=frozenset({"a", "b"}), table={"x": 1})
    one = check(checker=odd)
    same = [
        replace(one, interval=60.0, name="other"),
        check(checker=replace(odd, secret="hidden")),
        check(checker=Odd(words=frozenset({"b", "a"}), table={"x": 1}, foreign=object())),
    ]
    other = [
        check(checker=Always()),
        check(checker=replace(odd, port=81)),
        check(checker=Odd(words=frozenset({"a"}), table={"x": 1})),
        check(checker=Odd(words=frozenset({"a", "b"}), table={"x": 2})),
        check(checker=odd, fall="2"),
    ]
    first = fingerprint(check(checker=replace(odd, foreign=object())))
    assert first == fingerprint(same[2])
    assert {fingerprint(each) for each in same[:2]} == {fingerprint(one)}
    assert fingerprint(one) not in {fingerprint(each) for each in other}


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    """The order of a set is another in each."""
    program = (
        "from tests.healthd.statefile.test_forms import Odd, check, fingerprint\n"
        "print(fingerprint(check(checker=Odd(words=frozenset('abcdefgh')))))"
    )
    found = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout
        for _ in range(2)
    }
    assert found == {fingerprint(check(checker=Odd(words=frozenset("abcdefgh")))) + "\n"}
