from healthd.alerts.rate import TokenBucket
from healthd.config.values import Rate


def test_without_a_limit_everything_goes() -> None:
    """No rate, no limit."""
    bucket = TokenBucket(None, 0.0)
    assert bucket.take(10_000, 0.0)
    assert bucket.next_at(5.0) == 5.0


def test_so_many_at_once_and_so_many_in_a_while() -> None:
    """Three at once; then one every twenty minutes; never more than three in stock."""
    bucket = TokenBucket(Rate(3, 3600.0), 0.0)
    assert [bucket.take(1, 0.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.next_at(0.0) == 1200.0
    assert not bucket.take(1, 1199.0)
    assert bucket.take(1, 1200.0)
    assert not bucket.take(4, 1e6)
    assert bucket.take(3, 1e6)


def test_all_or_none() -> None:
    """Several messages that belong together are not torn apart by the limit."""
    bucket = TokenBucket(Rate(3, 3.0), 0.0)
    assert not bucket.take(4, 0.0)
    assert bucket.take(3, 0.0)


def test_after_the_time_that_it_named_there_is_a_token() -> None:
    """Thirds do not add up in binary, and still no time is named twice."""
    bucket = TokenBucket(Rate(3, 1.0), 0.1)
    now = 0.1
    assert bucket.take(3, now)
    for _ in range(100):
        now = bucket.next_at(now)
        assert bucket.take(1, now)
