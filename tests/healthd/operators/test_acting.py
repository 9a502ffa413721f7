from __future__ import annotations

import pytest

from healthd.model import Destination, VirtualService
from healthd.operators.acting import held, left_of, over, readied, shortfall, standing, weighted
from healthd.operators.orders import Order
from healthd.overrides import Admin, Override, SetWeight
from healthd.state import adopted
from tests.support.building import A, B, C, server, service

NOW = 1000.0
ORDER = Order(who="root", reason="why")
HALF = SetWeight(50, percent=True)
DRAIN = Override(admin=Admin.DRAIN, since=NOW, who="root", reason="why")


def test_a_weight_and_a_drain_leave_each_other_alone() -> None:
    """In either order; who drained it stays the one who did, and so does who set the weight, before and after."""
    drain, weight = held(Admin.DRAIN, ORDER, NOW, None), weighted(HALF, Order(who="other"), NOW)
    both = weight(drain(None))
    assert both == Override(admin=Admin.DRAIN, weight=HALF, since=NOW, who="root", reason="why")
    assert drain(weight(None)) == both
    assert weighted(None, ORDER, NOW)(both) == DRAIN
    assert readied(both) == weight(None) == Override(weight=HALF, since=NOW, who="other")
    assert readied(DRAIN) is None
    assert weighted(None, ORDER, NOW)(weight(None)) is None


def test_what_time_makes_of_it() -> None:
    """Maintenance ends, a drain is cut, and a weight stays."""
    cut = over(held(Admin.DRAIN, ORDER, NOW, 5.0)(None))
    assert cut is not None
    assert (cut.admin, cut.cut, cut.until, cut.who) == (Admin.DRAIN, True, None, "root")
    assert over(held(Admin.MAINTENANCE, ORDER, NOW, 5.0)(None)) is None
    assert over(None) is None


@pytest.mark.parametrize(
    ("since", "until", "now", "left"),
    [
        (NOW, None, NOW, None),
        (NOW, NOW + 60, NOW + 20, 40.0),
        (NOW, NOW + 60, NOW + 61, 0.0),
        (NOW, NOW + 60, NOW - 5000, 60.0),
    ],
)
def test_what_is_left_of_a_time(since: float, until: float | None, now: float, left: float | None) -> None:
    """Never more than all of it."""
    assert left_of(Override(since=since, until=until), now) == left


def test_what_stands_without_anyone_watching() -> None:
    """What has not ended yet, and drains that are cut by now."""
    overrides = {
        ("web", A): held(Admin.MAINTENANCE, ORDER, NOW, 10.0)(None),
        ("web", B): held(Admin.DRAIN, ORDER, NOW, 10.0)(None),
        ("web", C): held(Admin.DRAIN, ORDER, NOW, None)(None),
    }
    found = standing({key: override for key, override in overrides.items() if override}, NOW + 11)
    assert {key: override.cut for key, override in found.items()} == {("web", B): True, ("web", C): False}


@pytest.mark.parametrize(
    ("overrides", "refused"),
    [
        ({A: DRAIN}, False),
        ({A: DRAIN, B: DRAIN}, True),
        ({A: Override(weight=SetWeight(0)), B: Override(admin=Admin.MAINTENANCE)}, True),
        ({A: Override(weight=HALF), B: Override(weight=HALF)}, False),
        ({A: DRAIN, B: None}, False),
    ],
)
def test_a_service_keeps_its_least(overrides: dict[object, Override | None], *, refused: bool) -> None:
    """What would be left after the whole order counts."""
    config = service(A, B, server(C, 0), min_available=1)
    found = VirtualService(destinations={A: Destination(), B: Destination(), C: Destination(weight=0)})
    record = adopted(config, found, NOW)
    text = shortfall(record, record.decide().available, overrides)  # type: ignore[arg-type] # endpoints
    assert bool(text) is refused
