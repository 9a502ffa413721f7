from healthd.engine.lateness import Lateness
from healthd.schedulerview import LatenessView


def test_shares_are_told_to_the_millisecond() -> None:
    """The upper end of the millisecond that they fall in, and never more than the longest."""
    lateness = Lateness()
    for number in range(100):
        lateness.add(number / 1000 + 0.0005, 0.0)
    view = lateness.view
    assert (view.starts, view.p50, view.p99, view.longest) == (100, 0.05, 0.099, 0.0995)


def test_nothing_yet() -> None:
    """Without a start there is no lateness."""
    view = Lateness().view
    assert view == LatenessView()
    assert (view.starts, view.p50, view.p99, view.longest) == (0, 0.0, 0.0, 0.0)


def test_what_was_long_ago_is_forgotten() -> None:
    """The view is of the last one to two minutes; the count of starts that were far too late is for ever."""
    lateness = Lateness()
    lateness.add(2.5, 0.0)
    lateness.add(0.001, 61.0)
    assert lateness.view.longest == 2.5
    lateness.add(0.001, 122.0)
    assert lateness.view.longest == 0.001
    assert lateness.too_late == 1
