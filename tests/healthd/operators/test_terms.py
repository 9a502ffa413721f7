from __future__ import annotations

from healthd.clock import ManualClock
from healthd.operators.terms import MOST_STALE, Terms


class Ended:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.together: list[list[str]] = []
        self.terms: Terms[str] = Terms(self.clock, self.together.append)


async def test_what_ends_at_the_same_time_is_told_together() -> None:
    """One call for all of them, each once."""
    site = Ended()
    for name, seconds in (("a", 10.0), ("b", 5.0), ("c", 10.0)):
        site.terms.set(name, seconds)
    await site.clock.advance(5)
    assert site.together == [["b"]]
    assert site.terms.left("a") == 5.0
    await site.clock.advance(60)
    assert site.together == [["b"], ["a", "c"]]
    assert site.terms.left("a") is None


async def test_what_is_set_anew_ends_by_its_new_time_alone() -> None:
    """Earlier, later, or never by itself."""
    site = Ended()
    for name, seconds in (("earlier", 50.0), ("later", 10.0), ("never", 10.0)):
        site.terms.set(name, seconds)
    site.terms.set("earlier", 5.0)
    site.terms.set("later", 100.0)
    site.terms.set("never", None)
    await site.clock.advance(99)
    assert site.together == [["earlier"]]
    await site.clock.advance(1)
    assert site.together == [["earlier"], ["later"]]


async def test_only_what_is_kept_ends() -> None:
    """Of the others nothing is heard any more."""
    site = Ended()
    site.terms.set("a", 10.0)
    site.terms.set("b", 10.0)
    site.terms.keep({"b"})
    await site.clock.advance(60)
    assert site.together == [["b"]]


async def test_setting_one_over_and_over_costs_no_memory() -> None:
    """What was replaced is thrown away long before its time would be over."""
    site = Ended()
    for number in range(10 * MOST_STALE):
        site.terms.set("a", 1000.0 + number)
    assert len(site.terms._queue) <= MOST_STALE + 3
    await site.clock.advance(5000)
    assert site.together == [["a"]]


async def test_what_is_set_while_another_ends_is_not_lost() -> None:
    """Whoever is told may set the next time at once."""
    clock = ManualClock()
    ended: list[str] = []

    def over(names: list[str]) -> None:
        ended.extend(names)
        if len(ended) < 3:
            terms.set("a", 10.0)

    terms: Terms[str] = Terms(clock, over)
    terms.set("a", 10.0)
    await clock.advance(100)
    assert ended == ["a", "a", "a"]
