from __future__ import annotations

import pytest

from healthd.clock import settle
from healthd.edits import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Edit,
    EditDestination,
    EditService,
)
from healthd.events import TableDrift, TableEdited
from healthd.model import Destination, Endpoint, ServiceKey, ServiceOptions
from healthd.reconcile import MERGED
from tests.support.building import KEY, OTHER_KEY, A, B
from tests.support.reconciling import GOOD, RESYNC, Running, both, nothing, table

FOREIGN = ServiceKey.marked(99)


async def test_a_submitted_table_is_put_in_place_at_once() -> None:
    """Every change is converged, and the edits that were carried out are told as ipvsadm commands."""
    run = Running()
    async with run.going(table((A, 1))):
        assert run.table == table((A, 1))
        assert run.told() == [
            "table edited: -A -t 192.168.7.110:80 -s wlc, -a -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 1"
        ]
        await run.submit(table((A, 0)))
        assert run.table == table((A, 0))
        assert run.told() == ["table edited: -e -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 0"]


async def test_edits_are_told_with_what_they_are_about() -> None:
    """Services and servers, each once and by name; what has no name is told as an edit only."""
    run = Running()
    run.reconciler.names = {KEY: "web"}
    async with run.going(both(GOOD, table((B, 1), key=OTHER_KEY))):
        (edited,) = (event for event in run.events() if isinstance(event, TableEdited))
        assert (len(edited.edits), edited.about) == (5, ("web/", f"web/{A}", f"web/{B}"))
        await run.submit(both(table((A, 2), (B, 1)), table((B, 2), key=OTHER_KEY)))
        (edited,) = (event for event in run.events() if isinstance(event, TableEdited))
        assert (len(edited.edits), edited.about) == (2, (f"web/{A}",))


async def test_what_somebody_changed_is_told_with_what_it_is_about() -> None:
    """The service for a field of its own, the server for one of the server, by name."""
    run = Running(GOOD)
    run.reconciler.names = {KEY: "web"}
    async with run.going(GOOD):
        run.ipvs.by_hand(EditService(KEY, ServiceOptions("rr")), EditDestination(KEY, A, Destination(weight=7)))
        await run.clock.advance(RESYNC)
        drift, edited = run.events()
        assert isinstance(drift, TableDrift)
        assert isinstance(edited, TableEdited)
        assert drift.about == edited.about == ("web/", f"web/{A}")


async def test_the_newest_table_wins() -> None:
    """There is no queue: what was submitted in between leaves no trace."""
    run = Running()
    async with run.going(GOOD):
        run.told()
        for weight in range(5):
            run.reconciler.submit(table((A, 1), (B, weight)))
        await settle()
        assert run.told() == ["table edited: -e -t 192.168.7.110:80 -r 10.0.0.2:80 -m -w 4"]


async def test_a_table_that_is_right_already_is_not_edited() -> None:
    """A start over a table that is as desired does nothing, and an equal table submitted again neither."""
    run = Running(GOOD)
    async with run.going(GOOD):
        await run.submit(table((A, 1), (B, 1)))
        assert run.told() == []
        assert run.ipvs.reads == 1


async def test_equal_tables_submitted_all_the_time_do_not_put_off_the_full_comparison() -> None:
    """The reading is due every `resync` seconds, whatever else goes on."""
    run = Running(GOOD)
    async with run.going(GOOD):
        for _ in range(25):
            await run.clock.advance(1)
            await run.submit(table((A, 1), (B, 1)))
        assert run.ipvs.reads == 3


async def test_rule_4_of_the_design_foreign_edits_are_told_field_by_field_and_repaired_at_resync() -> None:
    """Each field that somebody changed is named with both values; after that the table is as desired again."""
    run = Running(GOOD)
    async with run.going(GOOD):
        run.ipvs.by_hand(
            EditService(KEY, ServiceOptions("rr")),
            EditDestination(KEY, A, Destination(weight=7, upper=9)),
            DeleteDestination(KEY, B),
            AddDestination(KEY, Endpoint("10.9.9.9", 80), Destination()),
        )
        await run.clock.advance(RESYNC - 0.1)
        assert run.told() == []
        await run.clock.advance(0.1)
        assert run.table == GOOD
        assert run.told() == [
            (
                'table was changed by someone else, repairing: 192.168.7.110:80/tcp: "-s wlc" to "-s rr"; '
                "192.168.7.110:80/tcp real server 10.0.0.1:80: weight 1 to 7; "
                "192.168.7.110:80/tcp real server 10.0.0.1:80: upper 0 to 9; "
                "192.168.7.110:80/tcp real server 10.0.0.2:80: is gone; "
                "192.168.7.110:80/tcp real server 10.9.9.9:80: appeared"
            ),
            (
                "table edited: -E -t 192.168.7.110:80 -s wlc, -a -t 192.168.7.110:80 -r 10.0.0.2:80 -m -w 1, "
                "-e -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 1, -d -t 192.168.7.110:80 -r 10.9.9.9:80"
            ),
        ]
        await run.clock.advance(RESYNC)
        assert run.told() == []


async def test_a_table_that_somebody_cleared_is_put_back() -> None:
    """`ipvsadm -C` is an edit like any other."""
    run = Running(GOOD)
    async with run.going(GOOD):
        run.ipvs.by_hand(DeleteService(KEY))
        await run.clock.advance(RESYNC)
        assert run.table == GOOD
        assert run.told()[0] == (
            "table was changed by someone else, repairing: 192.168.7.110:80/tcp: virtual service is gone"
        )


async def test_a_foreign_service_is_never_touched() -> None:
    """Rule 4 of the design: neither at the start nor at a comparison nor when it is edited, and nobody is told."""
    foreign = table((B, 3), key=FOREIGN)
    run = Running(foreign)
    async with run.going(table((A, 1))):
        run.events()
        run.ipvs.by_hand(EditDestination(FOREIGN, B, Destination(weight=9)))
        await run.clock.advance(3 * RESYNC)
        assert run.table == both(table((A, 1)), table((B, 9), key=FOREIGN))
        assert run.told() == []


async def test_a_retired_service_is_deleted_once() -> None:
    """It was ours and is to go; if somebody makes it again after that it is theirs."""
    run = Running()
    async with run.going(both(GOOD, table((A, 1), key=OTHER_KEY))):
        await run.submit(GOOD, OTHER_KEY)
        assert run.table == GOOD
        run.ipvs.by_hand(AddService(OTHER_KEY, ServiceOptions("rr")))
        run.events()
        await run.clock.advance(3 * RESYNC)
        assert OTHER_KEY in run.table.services
        assert run.told() == []


async def test_a_retired_service_that_cannot_be_deleted_is_tried_again() -> None:
    """Also when newer tables come in between; when it is configured again it stays."""
    run = Running()
    async with run.going(both(GOOD, table(key=OTHER_KEY))):
        run.ipvs.refuses = lambda edit: isinstance(edit, DeleteService)
        await run.submit(GOOD, OTHER_KEY)
        await run.submit(table((A, 1), (B, 0)))
        assert run.table == both(table((A, 1), (B, 0)), table(key=OTHER_KEY))
        run.ipvs.refuses = nothing
        await run.clock.advance(30)
        assert run.table == table((A, 1), (B, 0))


async def test_a_retired_service_that_comes_back_stays() -> None:
    """The newest configuration counts, also while its deletion is still being tried."""
    run = Running()
    async with run.going(both(GOOD, table((A, 1), key=OTHER_KEY))):
        run.ipvs.refuses = lambda edit: isinstance(edit, DeleteService)
        await run.submit(GOOD, OTHER_KEY)
        await run.submit(both(GOOD, table((A, 2), key=OTHER_KEY)))
        run.ipvs.refuses = nothing
        await run.clock.advance(60)
        assert run.table == both(GOOD, table((A, 2), key=OTHER_KEY))


async def test_a_retired_service_that_somebody_else_deleted_is_no_error() -> None:
    """The refusal leads to a fresh reading, which shows that there is nothing left to do."""
    run = Running()
    async with run.going(both(GOOD, table(key=OTHER_KEY))):
        run.events()
        run.ipvs.by_hand(DeleteService(OTHER_KEY))
        await run.submit(GOOD, OTHER_KEY)
        assert run.told() == [
            "table was changed by someone else, repairing: 192.168.7.111:80/tcp: virtual service is gone"
        ]


async def test_a_service_added_while_another_has_drifted() -> None:
    """The new one needs a reading; what it shows of the known one is told, and of the new one nothing is foreign."""
    run = Running(both(GOOD, table((B, 2), key=OTHER_KEY)))
    async with run.going(GOOD):
        run.ipvs.by_hand(EditDestination(KEY, A, Destination(weight=8)))
        await run.submit(both(GOOD, table((A, 1), key=OTHER_KEY)))
        assert run.table == both(GOOD, table((A, 1), key=OTHER_KEY))
        assert run.told()[0] == (
            "table was changed by someone else, repairing: 192.168.7.110:80/tcp real server 10.0.0.1:80: weight 1 to 8"
        )


async def test_one_comparison_tells_what_it_has_done() -> None:
    """`converge` returns the edits that were carried out, for a run that makes only one."""
    run = Running()
    run.ipvs.refuses = lambda edit: isinstance(edit, AddDestination) and edit.endpoint == B
    run.reconciler.submit(GOOD)
    assert [str(edit) for edit in run.reconciler.converge()] == [
        "-A -t 192.168.7.110:80 -s wlc",
        "-a -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 1",
    ]


async def test_a_new_resync_counts_from_the_next_reading() -> None:
    """A reload may change it."""
    run = Running(GOOD)
    async with run.going(GOOD):
        run.reconciler.resync = 2.0
        await run.clock.advance(RESYNC)
        assert run.ipvs.reads == 2
        await run.clock.advance(6)
        assert run.ipvs.reads == 5


@pytest.mark.parametrize("weights", [(1, 0), (0, 1)])
async def test_rule_5_of_the_design_no_edit_on_the_way_empties_a_service(weights: tuple[int, int]) -> None:
    """From one server to the other: at every single edit one of them has its weight."""
    run = Running(table((A, weights[1]), (B, weights[0])))
    seen: list[int] = []

    def look(edit: Edit) -> bool:
        seen.append(sum(destination.weight for destination in run.table.services[KEY].destinations.values()))
        return False

    run.ipvs.refuses = look
    async with run.going(table((A, weights[0]), (B, weights[1]))):
        pass
    assert len(seen) >= 2
    assert min(seen) > 0


async def test_a_single_change_does_not_wait_and_a_storm_goes_together() -> None:
    """A change after a pause is done at once; those that follow within the window are done in one pass, the newest."""
    run = Running(GOOD)
    async with run.going(GOOD):
        run.reconciler.submit(table((A, 2), (B, 1)))
        await settle()
        assert run.table == table((A, 2), (B, 1))
        for weight in range(3, 100):
            run.reconciler.submit(table((A, weight), (B, 1)))
            await settle()
        assert run.table == table((A, 2), (B, 1))
        await run.clock.advance(MERGED)
        assert run.table == table((A, 99), (B, 1))
    edits = [event.edits for event in run.events() if isinstance(event, TableEdited)]
    assert [len(each) for each in edits] == [1, 1]
