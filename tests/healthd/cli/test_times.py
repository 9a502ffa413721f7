import time
from collections.abc import Iterator

import pytest

from healthd.cli.times import clock, lasting, milliseconds, moment, span, stamp

NOON = 1_795_348_800.0  # 2026-11-22 12:00:00 UTC


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One hour before UTC in winter, two in summer."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("2h", 7200),
        ("90s", 90),
        ("1.5h", 5400),
        ("12:00", 3600),  # it is 13:00 local time
        ("12:59:30", 30),
        ("13:00", 0),
        ("13:01", 86400 - 60),  # not yet today, so yesterday
        ("2026-11-22 12:00", 3600),
        ("2026-11-22T12:00:30", 3570),
        ("2026-11-22", 13 * 3600),
        ("2026-11-22T12:00:00Z", 0),
        ("2026-11-22 12:00+00:00", 0),
    ],
)
def test_points_in_time(text: str, ago: float) -> None:
    """A span before now, a time of the last 24 hours, or a date; local time unless a zone is given."""
    assert moment(text, NOON) == NOON - ago


@pytest.mark.parametrize("text", ["", "soon", "25:00", "12:60", "12", "2026-13-01", "-2h", "2 h", "1e3"])
def test_what_is_no_point_in_time(text: str) -> None:
    """Refused with what was expected; never a guess."""
    with pytest.raises(ValueError, match=r'"2h"|duration'):
        moment(text, NOON)


def test_yesterday_was_a_long_day() -> None:
    """On the day after the clocks were set back, a time of yesterday is found by the calendar."""
    monday_one_am = 1_792_969_200.0 + 0  # 2026-10-26 00:00 UTC, 01:00 in Berlin
    found = moment("01:30", monday_one_am)
    assert stamp(found) == "2026-10-25 01:30:00"


def test_spans_are_those_of_the_configuration() -> None:
    """The same words, the same complaints."""
    assert span("500ms") == 0.5
    with pytest.raises(ValueError, match='did you mean "5s"'):
        span("5")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (61, "1m01s"),
        (600, "10m"),
        (605, "10m"),
        (3600, "1h"),
        (7500, "2h05m"),
        (86400, "1d"),
        (273_600, "3d4h"),
        (86400 * 400, "400d"),
        (-5, "0s"),
    ],
)
def test_how_spans_are_shown(seconds: float, text: str) -> None:
    """Two units at most; clocks that disagree give nothing below zero."""
    assert lasting(seconds) == text


def test_how_points_in_time_are_shown() -> None:
    """A date where a time alone could be of another day; what is no time at all is a question mark."""
    assert stamp(NOON) == "2026-11-22 13:00:00"
    assert clock(NOON - 3600, NOON) == "12:00"
    assert clock(NOON - 86400, NOON) == "2026-11-21 13:00"
    assert stamp(1e300) == "?"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0003, "0.3ms"), (0.0041, "4.1ms"), (0.0123, "12ms"), (0.9999, "1000ms"), (3, "3.0s")]
)
def test_how_times_of_checks_are_shown(seconds: float, text: str) -> None:
    """Three digits tell enough."""
    assert milliseconds(seconds) == text
