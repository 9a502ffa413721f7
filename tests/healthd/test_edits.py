from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthd.edits import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Edit,
    EditDestination,
    EditRefused,
    EditService,
    apply,
    diff,
)
from healthd.model import Destination, Endpoint, Forward, ServiceKey, ServiceOptions, Table, VirtualService
from tests.support.alike import FEW_KEYS, services, tables
from tests.support.building import KEY, OTHER_KEY, A, B, C

weighted_services = services.filter(lambda service: any(one.weight for one in service.destinations.values()))
weighted_tables = st.builds(lambda table, service: Table({**table.services, KEY: service}), tables, weighted_services)

key_sets = st.frozensets(st.sampled_from(FEW_KEYS))


def after(table: Table, edits: list[Edit]) -> Table:
    for edit in edits:
        table = apply(edit, table)
    return table


def weighted(table: Table, key: ServiceKey) -> bool:
    service = table.services.get(key)
    return service is not None and any(destination.weight for destination in service.destinations.values())


@given(tables, tables, key_sets)
def test_the_edits_lead_from_one_table_to_the_other(
    actual: Table, desired: Table, retired: frozenset[ServiceKey]
) -> None:
    """Rule 3: applied to the actual table the edits give the desired one; retired services are gone from it."""
    result = after(actual, diff(desired, actual, retired))
    assert result.only(frozenset(desired.services)) == desired
    assert not result.services.keys() & (retired - desired.services.keys())


@given(tables, tables, key_sets)
def test_a_foreign_service_is_never_touched(actual: Table, desired: Table, retired: frozenset[ServiceKey]) -> None:
    """Rule 1 (and rule 4 of the design): a service that is neither desired nor retired stays as it is, and unnamed."""
    foreign = frozenset(actual.services) - desired.services.keys() - retired
    edits = diff(desired, actual, retired)
    assert after(actual, edits).only(foreign) == actual.only(foreign)
    assert not foreign & {edit.key for edit in edits}


@given(weighted_tables, weighted_tables)
def test_no_edit_leaves_a_service_without_a_weighted_server(actual: Table, desired: Table) -> None:
    """Rule 2 (rule 5 of the design, make before break): weighted before and after is weighted at every step between."""
    kept = [key for key in desired.services if weighted(actual, key) and weighted(desired, key)]
    assert KEY in kept
    table = actual
    for edit in diff(desired, actual):
        table = apply(edit, table)
        assert all(weighted(table, key) for key in kept), edit


@given(tables)
def test_equal_tables_need_no_edit(table: Table) -> None:
    """What is as it should be is left alone."""
    assert diff(table, Table(dict(table.services))) == []


def test_edits_read_like_ipvsadm_commands_in_safe_order() -> None:
    """The text of each kind of edit is the ipvsadm command; gains come first, losses late, services that go last."""
    mark = ServiceKey.marked(10)
    actual = Table(
        {
            KEY: VirtualService(
                ServiceOptions("rr"),
                {A: Destination(weight=5), B: Destination(weight=1), C: Destination(Forward.GATE, 1)},
            ),
            mark: VirtualService(),
        }
    )
    new = Endpoint("10.0.0.4", 80)
    desired = Table(
        {
            KEY: VirtualService(
                ServiceOptions("wlc"),
                {A: Destination(weight=0), C: Destination(Forward.MASQ, 1), new: Destination(weight=2)},
            ),
            OTHER_KEY: VirtualService(ServiceOptions("wrr"), {A: Destination(weight=0)}),
        }
    )
    assert [str(edit) for edit in diff(desired, actual, [mark])] == [
        "-E -t 192.168.7.110:80 -s wlc",
        "-A -t 192.168.7.111:80 -s wrr",
        "-a -t 192.168.7.110:80 -r 10.0.0.4:80 -m -w 2",
        "-e -t 192.168.7.110:80 -r 10.0.0.3:80 -m -w 1",
        "-a -t 192.168.7.111:80 -r 10.0.0.1:80 -m -w 0",
        "-e -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 0",
        "-d -t 192.168.7.110:80 -r 10.0.0.2:80",
        "-D -f 10",
    ]


def test_retired_services_go_in_one_order() -> None:
    """The same change gives the same edits, run after run."""
    keys = [ServiceKey.marked(number) for number in (3, 1, 2)]
    actual = Table({key: VirtualService() for key in keys})
    assert [str(edit) for edit in diff(Table(), actual, frozenset(keys))] == ["-D -f 1", "-D -f 2", "-D -f 3"]


def test_a_retired_service_that_is_desired_again_stays() -> None:
    """The desired table is the newer word."""
    table = Table({KEY: VirtualService()})
    assert diff(table, table, [KEY]) == []


HERE = Table({KEY: VirtualService(ServiceOptions(), {A: Destination()})})


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (AddService(KEY, ServiceOptions()), "File exists"),
        (EditService(OTHER_KEY, ServiceOptions()), "No such process"),
        (DeleteService(OTHER_KEY), "No such process"),
        (AddDestination(OTHER_KEY, A, Destination()), "No such process"),
        (AddDestination(KEY, A, Destination()), "File exists"),
        (EditDestination(KEY, B, Destination()), "No such file or directory"),
        (DeleteDestination(KEY, B), "No such file or directory"),
    ],
)
def test_an_edit_is_refused_for_the_reasons_of_the_kernel(edit: Edit, reason: str) -> None:
    """`apply` refuses what the kernel refuses, in its words, and says which edit it was."""
    with pytest.raises(EditRefused) as refusal:
        apply(edit, HERE)
    assert refusal.value.edit is edit
    assert refusal.value.reason == reason
    assert str(refusal.value) == f"{edit}: {reason}"


def test_an_edit_leaves_the_table_it_is_applied_to_alone() -> None:
    """A table is a value."""
    before = repr(HERE)
    apply(DeleteDestination(KEY, A), HERE)
    apply(DeleteService(KEY), HERE)
    assert repr(HERE) == before
