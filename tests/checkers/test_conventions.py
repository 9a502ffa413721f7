"""What the end of a program says, in the conventions of those that it was written for."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkers import conventions
from checkers.base import CheckEnded, Code, Outcome, Status
from checkers.process import Ended

PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN


def judged(style: conventions.Style, status: int, output: bytes = b"") -> Outcome:
    try:
        return conventions.judged(style, Ended(status, output))
    except CheckEnded as ended:
        return ended.outcome


@pytest.mark.parametrize(
    ("status", "expected", "code", "degraded", "word"),
    [
        (0, PASS, Code.PROCOK, False, "OK, "),
        (1, PASS, Code.PROCOK, True, "WARNING, "),
        (2, FAIL, Code.PROCERR, False, "CRITICAL, "),
        (3, UNKNOWN, Code.PROCUNK, False, "UNKNOWN, "),
        (4, FAIL, Code.PROCERR, False, "exit status 4, "),
        (255, FAIL, Code.PROCERR, False, "exit status 255, "),
        (-9, FAIL, Code.PROCERR, False, "killed by SIGKILL (Killed), "),
    ],
)
def test_nagios(*, status: int, expected: Status, code: str, degraded: bool, word: str) -> None:
    """OK and warning pass, the latter as degraded; 3 says nothing of the server; the rest fails, as with Nagios."""
    outcome = judged("nagios", status, b"HTTP OK\n")
    assert (outcome.status, outcome.code, outcome.degraded) == (expected, code, degraded)
    assert outcome.detail == f'{word}printed "HTTP OK"'


@pytest.mark.parametrize(
    ("output", "detail"),
    [
        (b"TCP OK - 0.000 s|time=0.000074s;;;0;10\n", 'OK, printed "TCP OK - 0.000 s", performance data "time='),
        (b"OK | a=1\nlong text\nmore | b=2\nc=3\n", 'OK, printed "OK", performance data "a=1 b=2 c=3"'),
        (b"OK\nlong text\n", 'OK, printed "OK"'),
        (b"", "OK, printed nothing"),
        (b"|a=1", 'OK, printed nothing, performance data "a=1"'),
        (b"x | " + b"y" * 4000, f'OK, printed "x", performance data "{"y" * 120}"...'),
    ],
)
def test_performance_data_is_kept_apart(output: bytes, detail: str) -> None:
    """What stands after a bar, in the first line and after the long text, and no more than can be read."""
    assert judged("nagios", 0, output).detail.startswith(detail)


@pytest.mark.parametrize(
    ("output", "detail"),
    [
        (b"10.0.0.1\n\n10.0.0.1 refused\nmore\n", 'printed "10.0.0.1", then "10.0.0.1 refused"'),
        (b"\nstart time: now\n", 'printed "start time: now"'),
        (b"10.0.0.1", 'printed "10.0.0.1"'),
        (b"\n \n", "printed nothing"),
    ],
)
def test_a_monitor_of_mon_shows_its_summary_and_the_reason(output: bytes, detail: str) -> None:
    """The summary is often the address alone, so the first line of what follows goes with it."""
    assert judged("mon", 1, output).detail == f"exit status 1, {detail}"


@pytest.mark.parametrize("status", range(256))
def test_misc_dynamic(status: int) -> None:
    """0 leaves the weight w; 1 fails; e from 2 adds e - 2 - w, which makes e - 2 of it, so that 2 drains."""
    try:
        outcome = conventions.judged_dynamic(Ended(status, b""))
    except CheckEnded as ended:
        outcome = ended.outcome
    if status == 1:
        assert (outcome.status, outcome.code) == (FAIL, Code.PROCERR)
        return
    configured = 77
    contribution = status - 2 - configured if status else 0
    assert outcome.status is PASS
    assert (configured if outcome.weight is None else outcome.weight) == configured + contribution


def test_a_signal_is_no_weight() -> None:
    """The weight of a script that was killed is not changed, as it failed."""
    with pytest.raises(CheckEnded) as caught:
        conventions.judged_dynamic(Ended(-11, b""))
    assert caught.value.outcome.detail == "killed by SIGSEGV (Segmentation fault), printed nothing"


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        (b"{}", Outcome(PASS, Code.PROCOK, 'exit status 0, printed "{}"')),
        (b'noise\n{"detail": "3 jobs"}\n\n', Outcome(PASS, Code.PROCOK, 'exit status 0, "3 jobs"')),
        (b'{"detail": "x", "weight": 0}', Outcome(PASS, Code.PROCOK, 'exit status 0, "x"', weight=0)),
        (
            b'{"detail": "x", "factor": 0.5, "degraded": true}',
            Outcome(PASS, Code.PROCOK, 'exit status 0, "x"', factor=0.5, degraded=True),
        ),
    ],
)
def test_a_line_of_json_says_what_the_server_wishes(line: bytes, outcome: Outcome) -> None:
    """The last line, whatever else was printed before."""
    assert conventions.judged_json(Ended(0, line)) == outcome


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (b"[]", "expected an object, not an array of 0"),
        (b'{"wieght": 1}', 'unknown key "wieght"; known are detail, weight, factor, degraded'),
        (b'{"weight": true}', "weight must be an integer, not true"),
        (b'{"weight": 1.5}', "weight must be an integer, not 1.5"),
        (b'{"weight": -1}', "an Outcome's weight is from 0 to 65535, not -1"),
        (b'{"factor": "half"}', 'factor must be a number, 1 for the whole of the configured weight, not "half"'),
        (b'{"factor": NaN}', "NaN"),
        (b'{"factor": -0.1}', "an Outcome's factor is from 0 to 65535, not -0.1"),
        (b'{"degraded": 1}', "degraded must be true or false, not 1"),
        (b'{"weight": 1, "factor": 1}', "weight and factor cannot both be asked for"),
        (b"[" * 9000, "more than 8192 arrays and objects"),
    ],
)
def test_a_line_that_is_not_what_it_should_be_is_unknown(line: bytes, reason: str) -> None:
    """The program is ours to mend, and no server is to blame; what is wrong is said."""
    with pytest.raises(CheckEnded) as caught:
        conventions.judged_json(Ended(0, line))
    outcome = caught.value.outcome
    assert (outcome.status, outcome.code) == (UNKNOWN, Code.PROCUNK)
    assert outcome.detail.startswith(f"the last line is not the JSON that it should be: {reason}"), outcome.detail


def test_the_exit_status_comes_before_the_json() -> None:
    """A program that says it failed has failed, whatever weight it names."""
    with pytest.raises(CheckEnded) as caught:
        conventions.judged_json(Ended(1, b'{"weight": 10}'))
    assert caught.value.outcome.status is FAIL


@settings(max_examples=300, deadline=None)
@given(st.integers(-64, 255), st.binary(max_size=200) | st.from_regex(rb'\{"[a-z]{6}": .{0,20}\}', fullmatch=True))
def test_no_output_makes_anything_but_an_outcome(status: int, output: bytes) -> None:
    """Whatever a program prints and however it ends."""
    ended = Ended(status, output)
    for style in ("plain", "mon", "nagios", "keepalived"):
        assert len(judged(style, status, output).detail) < 4000
    for judge in (conventions.judged_dynamic, conventions.judged_json, lambda e: conventions.judged_exactly(e, "x")):
        with contextlib.suppress(CheckEnded):
            assert judge(ended).status is PASS
