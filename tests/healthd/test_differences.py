from __future__ import annotations

from hypothesis import given

from healthd.differences import differences
from healthd.model import Destination, Forward, ServiceKey, ServiceOptions, Table, VirtualService
from tests.support.alike import tables
from tests.support.building import KEY, OTHER_KEY, A, B, C


def test_differences_are_told_field_by_field() -> None:
    """Each change by somebody else is one line that names service, server, field, and both values."""
    before = Table(
        {
            KEY: VirtualService(
                ServiceOptions("wlc"), {A: Destination(Forward.GATE, 1), B: Destination(upper=9, lower=3)}
            ),
            OTHER_KEY: VirtualService(),
        }
    )
    now = Table(
        {
            KEY: VirtualService(
                ServiceOptions("rr", persistent=300), {A: Destination(Forward.MASQ, 7), C: Destination()}
            ),
            ServiceKey.marked(10): VirtualService(),
        }
    )
    assert list(map(str, differences(before, now))) == [
        "fwmark 10: virtual service appeared",
        '192.168.7.110:80/tcp: "-s wlc" to "-s rr -p 300"',
        "192.168.7.110:80/tcp real server 10.0.0.1:80: forward gate to masq",
        "192.168.7.110:80/tcp real server 10.0.0.1:80: weight 1 to 7",
        "192.168.7.110:80/tcp real server 10.0.0.2:80: is gone",
        "192.168.7.110:80/tcp real server 10.0.0.3:80: appeared",
        "192.168.7.111:80/tcp: virtual service is gone",
    ]


def test_differences_of_thresholds_are_told() -> None:
    """Connection thresholds are fields like any other."""
    before = Table({KEY: VirtualService(destinations={A: Destination(upper=9, lower=3)})})
    now = Table({KEY: VirtualService(destinations={A: Destination(upper=8, lower=2)})})
    assert list(map(str, differences(before, now))) == [
        "192.168.7.110:80/tcp real server 10.0.0.1:80: upper 9 to 8",
        "192.168.7.110:80/tcp real server 10.0.0.1:80: lower 3 to 2",
    ]


@given(tables)
def test_equal_tables_have_no_differences(table: Table) -> None:
    """Nothing is reported where nothing was changed."""
    assert list(differences(table, Table(dict(table.services)))) == []


@given(tables, tables)
def test_every_difference_is_seen(one: Table, other: Table) -> None:
    """Two tables that differ have at least one difference to tell."""
    assert any(differences(one, other)) == (one != other)
