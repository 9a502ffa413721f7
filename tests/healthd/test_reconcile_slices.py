"""Rule 5 of the reconciler: a large table keeps nobody waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress

from healthd.clock import settle
from healthd.edits import AddDestination, Edit, EditDestination, EditRefused
from healthd.events import TableDrift, TableEdited
from healthd.ipvs.memory import MemoryIpvs
from healthd.model import Destination, Endpoint, ServiceKey, ServiceOptions, Table, VirtualService
from healthd.reconcile import SLICE
from tests.support.building import KEY, OTHER_KEY, A, B
from tests.support.reconciling import GOOD, RESYNC, Ipvs, Running, both, table

MANY = Table(
    {
        KEY: VirtualService(
            ServiceOptions(), {Endpoint(f"10.1.{n >> 8}.{n & 255}", 80): Destination(weight=1) for n in range(1000)}
        )
    }
)


class Sliced(Ipvs):
    """Reads with a pause before and after each service, and notes what is done in which order."""

    def __init__(self, table: Table | None = None) -> None:
        super().__init__(table)
        self.log: list[str] = []
        self.at_pause: Callable[[], None] = lambda: None

    def scan(self, keys: frozenset[ServiceKey] | None = None) -> Generator[tuple[ServiceKey, VirtualService] | None]:
        for found in super().scan(keys):
            self._pause()
            yield None
            yield found
            self._pause()
            yield None

    def _pause(self) -> None:
        self.log.append("read")
        self.at_pause()

    def apply(self, edits: Iterable[Edit]) -> list[EditRefused]:
        wanted = list(edits)
        self.log.append(f"edit {len(wanted)}")
        return super().apply(wanted)


def sliced(actual: Table | None = None) -> tuple[Running, Sliced]:
    run = Running(actual)
    run.ipvs = run.reconciler._ipvs = ipvs = Sliced(actual)
    return run, ipvs


async def test_no_edit_comes_between_the_slices_of_a_reading() -> None:
    """A table submitted during a reading is put in place right after it, at once and without a false report."""
    start = both(GOOD, table((A, 1), key=OTHER_KEY))
    newest = both(table((A, 0), (B, 1)), table((A, 1), key=OTHER_KEY))
    run, ipvs = sliced(start)
    async with run.going(start):
        ipvs.log.clear()
        ipvs.at_pause = lambda: run.reconciler.submit(newest)
        await run.clock.advance(RESYNC)
        assert ipvs.log == ["read"] * 4 + ["edit 1"]
        assert run.table == newest
        assert run.told() == ["table edited: -e -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 0"]


async def test_a_service_that_comes_during_a_reading_is_read_before_it_is_edited() -> None:
    """It may be there already, with servers that are then kept."""
    other = table((A, 1), key=OTHER_KEY)
    run, ipvs = sliced(both(GOOD, other))
    async with run.going(GOOD):
        ipvs.log.clear()
        ipvs.at_pause = lambda: run.reconciler.submit(both(GOOD, other))
        await run.clock.advance(RESYNC)
        assert "edit" not in " ".join(ipvs.log)
        assert run.told() == []


async def test_others_have_their_turn_between_the_slices() -> None:
    """Readings and edits in bulk give way to what else is to be done, again and again."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    run, ipvs = sliced()
    task = asyncio.create_task(others())
    seen: list[int] = []

    def look(_: Edit) -> bool:
        seen.append(turns)
        return False

    ipvs.refuses = look
    async with run.going(MANY):
        await settle()
    assert run.table == MANY
    assert len(set(seen)) == 1 + len(MANY.services[KEY].destinations) // SLICE
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_what_is_done_in_bulk_is_told_in_parts() -> None:
    """No event is of boundless length, and nothing is left out."""
    run, _ = sliced()
    async with run.going(MANY):
        await settle()
        edited = [event.edits for event in run.events() if isinstance(event, TableEdited)]
        assert [len(part) for part in edited] == [SLICE] * 4 + [1]
        run.ipvs.by_hand(
            *(EditDestination(KEY, endpoint, Destination(weight=9)) for endpoint in MANY.services[KEY].destinations)
        )
        await run.clock.advance(RESYNC)
        await settle()
        drift = [event.differences for event in run.events() if isinstance(event, TableDrift)]
        assert [len(part) for part in drift] == [SLICE] * 4
        assert len({line for part in drift for line in part}) == 1000
        assert run.table == MANY


async def test_gains_come_before_losses_over_all_slices() -> None:
    """Rule 5 of the design holds for bulk: all new servers are in before the first old one goes."""
    old = table(*((Endpoint(f"10.2.{n >> 8}.{n & 255}", 80), 1) for n in range(600)))
    run, ipvs = sliced(old)
    weights: list[int] = []

    def look(edit: Edit) -> bool:
        weights.append(sum(one.weight for one in MemoryIpvs.read(ipvs).services[edit.key].destinations.values()))
        return False

    ipvs.refuses = look
    async with run.going(MANY):
        await settle()
    assert run.table == MANY
    assert min(weights) == 600
    assert max(weights) == 1600


async def test_a_pass_that_is_cut_off_leaves_nothing_wrong() -> None:
    """The daemon stops in the middle of a bulk: what comes after it sees the table as it is."""
    for pauses in range(12):
        run, _ = sliced()
        run.reconciler.submit(MANY)
        task = asyncio.create_task(run.reconciler.run())
        await settle(pauses)
        task.cancel()
        run.reconciler.submit(Table(), frozenset(MANY.services))
        run.reconciler.converge()
        assert run.table == Table()
        with suppress(asyncio.CancelledError):
            await task
        assert run.table == Table()


async def test_refusals_in_bulk_are_told_apart() -> None:
    """Of many edits the ones that were refused are named, and the others are not done twice."""
    run, ipvs = sliced()
    some = set(list(MANY.services[KEY].destinations)[::100])
    ipvs.refuses = lambda edit: isinstance(edit, AddDestination) and edit.endpoint in some
    run.reconciler.submit(MANY)
    done = run.reconciler.converge()
    assert len(done) == len(set(map(str, done))) == 1 + 1000 - len(some)
    assert [event.kind for event in run.events()][-1] == "table_error"
