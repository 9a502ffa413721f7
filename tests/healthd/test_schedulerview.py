from healthd.schedulerview import LatenessView, SchedulerView, together

ONE = SchedulerView(
    jobs=3, checks=2, waiting=1, under_way=2, too_late=4, lateness=LatenessView(((0, 98), (7, 1)), 0.0075)
)
OTHER = SchedulerView(jobs=10, checks=10, under_way=3, too_late=1, lateness=LatenessView(((3, 1), (999, 1)), 4.0))


def test_several_together_are_as_one() -> None:
    """Counts are added, start by start; a share is of all starts, and the longest is the longest of any."""
    both = together([ONE, OTHER])
    assert (both.jobs, both.checks, both.waiting, both.under_way, both.too_late) == (13, 12, 1, 5, 5)
    assert both.lateness == LatenessView(((0, 98), (3, 1), (7, 1), (999, 1)), 4.0)
    assert (both.lateness.starts, both.lateness.p50, both.lateness.p99) == (101, 0.001, 0.008)


def test_one_alone_and_none_at_all() -> None:
    """Nothing is made up."""
    assert together([ONE]) == ONE
    assert together([]) == SchedulerView()


def test_what_is_beyond_the_last_step_is_as_late_as_the_latest() -> None:
    """Lateness is never hidden: more than a second is not shown as one."""
    assert LatenessView(((999, 10),), 4.0).p50 == 4.0
