from __future__ import annotations

from itertools import pairwise

from healthd.edits import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    EditDestination,
)
from healthd.events import TableError
from healthd.model import Destination, Endpoint
from tests.support.building import KEY, A, B
from tests.support.reconciling import GOOD, RESYNC, Running, nothing, table


async def test_an_edit_refused_because_somebody_was_there_first_is_done_again_at_once() -> None:
    """No time passes: the table is read afresh, the foreign edit is told, and what is missing is done."""
    run = Running()
    async with run.going(GOOD):
        run.events()
        run.ipvs.by_hand(DeleteDestination(KEY, A), AddDestination(KEY, Endpoint("10.0.0.3", 80), Destination()))
        await run.submit(table((A, 0), (B, 5)))
        assert run.table == table((A, 0), (B, 5))
        assert run.told() == [
            (
                "table was changed by someone else, repairing: "
                "192.168.7.110:80/tcp real server 10.0.0.1:80: is gone; "
                "192.168.7.110:80/tcp real server 10.0.0.3:80: appeared"
            ),
            (
                "table edited: -e -t 192.168.7.110:80 -r 10.0.0.2:80 -m -w 5, "
                "-a -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 0, -d -t 192.168.7.110:80 -r 10.0.0.3:80"
            ),
        ]


async def test_a_refused_edit_is_told_once_and_tried_with_back_off() -> None:
    """At once, then after 1, 2, 4, 8, 16 and from then on 30 seconds; one error, and one word when it is over."""
    run = Running()
    run.ipvs.refuses = lambda edit: isinstance(edit, AddDestination) and edit.endpoint == B
    async with run.going(GOOD):
        assert run.table == table((A, 1))
        assert [event.kind for event in run.events()] == ["table_edited", "table_error"]
        tries = [run.clock.monotonic()]
        for _ in range(105):
            before = run.ipvs.reads
            await run.clock.advance(1)
            if run.ipvs.reads > before:
                tries.append(run.clock.monotonic())
        assert [later - earlier for earlier, later in pairwise(tries)] == [1, 2, 4, 8, 16, 30, 30]
        assert run.told() == []
        run.ipvs.refuses = nothing
        await run.clock.advance(30)
        assert run.table == GOOD
        assert run.told() == [
            "table edited: -a -t 192.168.7.110:80 -r 10.0.0.2:80 -m -w 1",
            "table is as it should be again",
        ]


async def test_the_error_is_told_with_what_it_is_about() -> None:
    """The server that the table did not take, by name."""
    run = Running()
    run.reconciler.names = {KEY: "web"}
    run.ipvs.refuses = lambda edit: isinstance(edit, AddDestination) and edit.endpoint == B
    async with run.going(GOOD):
        (error,) = (event for event in run.events() if isinstance(event, TableError))
        assert error.about == (f"web/{B}",)


async def test_the_error_says_what_was_refused_and_why() -> None:
    """The command and the kernel's words, and when it is tried again."""
    run = Running()
    run.ipvs.refuses = lambda edit: isinstance(edit, AddService)
    async with run.going(table()):
        assert run.told() == [
            "table not as it should be, next try in 1 s: -A -t 192.168.7.110:80 -s wlc: Invalid argument"
        ]


async def test_another_error_is_told_too() -> None:
    """The same trouble is told once; a new one is news."""
    run = Running()
    run.ipvs.refuses = lambda edit: isinstance(edit, AddDestination)
    async with run.going(table((A, 1))):
        run.events()
        await run.submit(GOOD)
        assert [event.kind for event in run.events()] == ["table_error"]


async def test_a_refused_edit_does_not_keep_the_others_back() -> None:
    """Rule 2: only what is refused is missing, also when a newer table comes during the back-off."""
    run = Running(table((A, 1)))
    run.ipvs.refuses = lambda edit: isinstance(edit, AddDestination)
    async with run.going(GOOD):
        await run.submit(table((A, 3), (B, 3)))
        assert run.table == table((A, 3))
        run.ipvs.refuses = nothing
        await run.submit(table((A, 4), (B, 4)))
        assert run.table == table((A, 4), (B, 4))


async def test_after_a_partial_refusal_only_real_foreign_edits_are_told() -> None:
    """What is believed of the table then is what the edits that went through have made of it."""
    run = Running()
    run.ipvs.refuses = lambda edit: isinstance(edit, AddDestination) and edit.endpoint == B
    async with run.going(GOOD):
        run.events()
        await run.clock.advance(10)
        assert run.told() == []
        run.ipvs.by_hand(EditDestination(KEY, A, Destination(weight=8)))
        await run.clock.advance(30)
        assert run.told() == [
            "table was changed by someone else, repairing: 192.168.7.110:80/tcp real server 10.0.0.1:80: weight 1 to 8",
            "table edited: -e -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 1",
        ]


async def test_a_table_out_of_reach_is_told_and_tried_again() -> None:
    """When it is back, what had to be done meanwhile is done."""
    run = Running(GOOD)
    async with run.going(GOOD):
        run.ipvs.out_of_reach = True
        await run.submit(table((A, 1), (B, 0)))
        await run.clock.advance(5)
        assert run.told() == ["table not as it should be, next try in 1 s: this kernel has no IPVS"]
        run.ipvs.out_of_reach = False
        await run.clock.advance(30)
        assert run.table == table((A, 1), (B, 0))
        assert run.told()[-1] == "table is as it should be again"


async def test_a_module_loaded_anew_is_drift() -> None:
    """A table that was out of reach at a comparison and comes back empty is filled again, and that is told."""
    run = Running(GOOD)
    async with run.going(GOOD):
        run.ipvs.out_of_reach = True
        await run.clock.advance(RESYNC)
        run.ipvs.by_hand(DeleteService(KEY))
        run.ipvs.out_of_reach = False
        await run.clock.advance(30)
        assert run.table == GOOD
        assert [event.kind for event in run.events()] == [
            "table_error",
            "table_drift",
            "table_edited",
            "table_restored",
        ]
