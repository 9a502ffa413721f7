"""Expressions that users write, on texts that servers choose."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkers.pattern import STEPS_AT_MOST, Pattern, PatternError

LONGEST = 262144

PATHOLOGICAL = {
    "(a+)+$": "a" * (LONGEST - 1) + "!",
    "(a|a)*b": "a" * LONGEST,
    "(a|aa)+$": "a" * (LONGEST - 1) + "!",
    "(.*)*x": "y" * LONGEST,
    "(x+x+)+y": "x" * LONGEST,
    "([a-z]+)*=": "a" * LONGEST,
    r"^(\w+\s?)*$": "a " * (LONGEST // 2 - 1) + "!",
    "x.*y.*z": "xy" * (LONGEST // 2),
    "(a?){30}a{30}": "a" * 29,
    "[ab]*a[ab]{200}c": "ab" * (LONGEST // 2),
}
"""Expressions that Python's engine takes for ever with, or longer, each with the text that shows it."""


@pytest.mark.parametrize(("expression", "text"), PATHOLOGICAL.items())
def test_the_work_is_bounded_whatever_the_text(expression: str, text: str) -> None:
    """RE2 takes no more than the length of its program for each byte, and what was let in keeps that below a limit."""
    pattern = Pattern(expression).within(LONGEST)
    assert len(text.encode()) * pattern._regexp.programsize <= STEPS_AT_MOST
    assert not pattern.search(text)
    assert pattern.end_of_match(text.encode()) is None


def test_what_could_take_too_many_steps_is_refused() -> None:
    """The message says how much is too much, and what would be less."""
    with pytest.raises(PatternError) as caught:
        Pattern("[ab]*a[ab]{900}c").within(LONGEST)
    assert re.fullmatch(
        r"may take \d+ steps for each of 262144 bytes, more than 67108864 in all: "
        r"make it simpler, or look at \d+ bytes at most",
        str(caught.value),
    )
    assert Pattern("[ab]*a[ab]{900}c").within(16384).search("a" * 901 + "c")


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("(", "is not a regular expression: missing ), unterminated subpattern at position 0"),
        ("a**", "is not a regular expression: multiple repeat at position 2"),
        ("(?=a)b", "cannot be used: invalid perl operator: (?=. Expressions are run by RE2, "),
        (r"(a)\1", r"cannot be used: invalid escape sequence: \1. Expressions are run by RE2, "),
        ("a++", "cannot be used: bad repetition operator: ++. Expressions are run by RE2, "),
        ("a{1001}", "cannot be used: invalid repetition size: {1001}. Expressions are run by RE2, "),
        ("\ud800", "cannot be used: it is no Unicode text. Expressions are run by RE2, "),
        ("[[:alpha:]]", "is ambiguous: Possible nested set at position 1; for the character itself write it with a "),
        ("x(?m:^a$)", "cannot be used: write (?m) at its beginning, not for a part of it"),
    ],
)
def test_what_is_no_expression_is_refused(expression: str, reason: str, capfd: pytest.CaptureFixture[str]) -> None:
    """With the reason, and nothing on standard error."""
    with pytest.raises(PatternError) as caught:
        Pattern(expression)
    assert str(caught.value).startswith(reason)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("expression", "text", "end"),
    [
        ("ready", "not ready yet", 9),
        ("^OK$", "OK", 2),
        ("^OK$", "OK\n", 3),
        ("^OK$", "OK\n\n", None),
        ("^220 .*$", "220 mail ESMTP\r\n", 16),
        ("(?m)^b$", "a\nb\nc", 3),
        ("^b$", "a\nb\nc", None),
        ("[$]5", "a $5", 4),
        (r"\$5", "a $5", 4),
        (r"a\Z", "ba", 2),
        ("^a{,3}$", "aa", 2),
        ("[]]x", "]x", 2),
        (r"[\[:a]b", ":b", 2),
        ("\\u00fc|\\U0001f600", "ü", 2),
        ("[\\u00fc]x", "üx", 3),
        (r"(?i)ReAdY", "READY", 5),
        (r"(?P<word>\w+) up", "is up", 5),
    ],
)
def test_an_expression_means_what_it_means_in_python(expression: str, text: str, end: int | None) -> None:
    """Also where RE2 writes it another way."""
    assert bool(re.search(expression, text)) is (end is not None)
    pattern = Pattern(expression)
    assert pattern.search(text) is (end is not None)
    assert pattern.end_of_match(text.encode()) == end


@pytest.mark.parametrize(
    ("expression", "text", "part"),
    [
        ("token=([a-z]+)", "a token=abc;", "abc"),
        ("token=[a-z]+", "a token=abc;", "token=abc"),
        ("(ü)|x", "x", None),
        ("(x)", "y", None),
    ],
)
def test_what_the_first_group_takes_in(expression: str, text: str, part: str | None) -> None:
    """Or all of the match, where there is no group."""
    assert Pattern(expression).captured(text) == part


def test_bytes_that_are_no_utf_8_are_counted_one_by_one() -> None:
    """The end of a match is where it is in what was received."""
    pattern = Pattern("x.+y")
    assert pattern.end_of_match(b"\xff\xc3x\xff\xfe\xc3\xbcyz") == 8
    assert pattern.search(b"x\xffy".decode("utf-8", "surrogateescape"))


PIECES = st.sampled_from(["a", "b", ".", "^", "$", "[ab]", "[^a]", r"\d", r"\s", r"\w", r"\n", "(a|b)", "(?:ab)", "-"])
REPEATED = st.builds(str.__add__, st.sampled_from(["a", "b", ".", "[^b]", "(a|b)", "(?:ab|a)"]), st.sampled_from("*+?"))
EXPRESSIONS = st.lists(PIECES | REPEATED | st.just("|"), max_size=6).map("".join)


@settings(max_examples=300, deadline=None)
@given(EXPRESSIONS, st.text("ab\n -1", max_size=12))
def test_it_finds_what_python_finds(expression: str, text: str) -> None:
    """Any expression of these pieces, in any text of these letters."""
    assert Pattern(expression).search(text) is (re.search(expression, text) is not None)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=12), st.binary(max_size=40))
def test_nothing_but_a_refusal_escapes(expression: str, data: bytes) -> None:
    """Whatever a user writes and whatever a server sends."""
    try:
        pattern = Pattern(expression)
    except PatternError:
        return
    end = pattern.end_of_match(data)
    assert end is None or 0 <= end <= len(data)
