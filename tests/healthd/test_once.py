from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import pytest

from healthd.clock import ManualClock
from healthd.config.values import Config, Settings
from healthd.edits import Edit, EditRefused
from healthd.ipvs.memory import MemoryIpvs
from healthd.model import Destination, Endpoint, ServiceKey, Table, VirtualService
from healthd.once import left_behind, run_round
from healthd.statefile import rounds
from healthd.verdict import Health
from tests.support.building import KEY, SORRY, A, B, Script, Scripted, check, service
from tests.support.rounds import Cron

FOREIGN = ServiceKey.marked(99)


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


@pytest.fixture
def cron(tmp_path: Path) -> Cron:
    return Cron(tmp_path, weights={A: 1, B: 1})


async def test_with_fall_3_the_third_round_removes(cron: Cron) -> None:
    """N of M works under cron: two rounds leave the server, and the third is told with all its evidence."""
    for _ in range(2):
        assert (await cron.run(a="F")).edits == ()
        assert cron.weights == {A: 1, B: 1}
    third = await cron.run(a="F")
    assert third.edits == ("-d -t 192.168.7.110:80 -r 10.0.0.1:80",)
    assert cron.weights == {B: 1}
    assert [event.kind for event in third.events] == ["server_down", "table_edited"]
    assert "after 3 outcomes of check tcp: L4CON refused" in third.events[0].text()


async def test_a_removed_server_returns_after_rise_rounds(cron: Cron) -> None:
    """And what is so already is no news in any further round."""
    for _ in range(3):
        await cron.run(a="F")
    assert (await cron.run(a="F")).events == ()
    assert (await cron.run(a="P")).edits == ()
    back = await cron.run(a="P")
    assert back.edits == ("-a -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 1",)
    assert [event.kind for event in back.events] == ["server_up", "table_edited"]


async def test_a_pass_in_between_begins_the_count_anew(cron: Cron) -> None:
    """As it does for the daemon."""
    for letter in "FFPFF":
        await cron.run(a=letter)
    assert cron.weights == {A: 1, B: 1}
    await cron.run(a="F")
    assert cron.weights == {B: 1}


async def test_unknown_changes_nothing_in_any_round(cron: Cron) -> None:
    """Neither the table nor the count; it is shown in the result."""
    for letter in "FUFUU":
        done = await cron.run(a=letter)
        assert done.edits == ()
    assert [event.kind for event in done.events] == ["check_unknown"]
    assert done.snapshot.services[0].servers[0].health is Health.UP
    await cron.run(a="F")
    assert cron.weights == {B: 1}


async def test_servers_that_could_never_be_checked_stay_as_they_were_found(tmp_path: Path) -> None:
    """Also when somebody gives one a weight between two rounds: what was not known says nothing."""
    cron = Cron(tmp_path, weights={A: 0})
    await cron.run(a="U", b="U")
    assert cron.weights == {A: 0}
    cron.ipvs = MemoryIpvs(Table({KEY: VirtualService(destinations={A: Destination(weight=1)})}))
    await cron.run(a="U", b="U")
    assert cron.weights == {A: 1}


async def test_a_first_round_over_an_empty_table_builds_it(tmp_path: Path) -> None:
    """Each server is decided by its first outcome, all in the one round."""
    cron = Cron(tmp_path)
    cron.fallback = SORRY
    done = await cron.run(b="F")
    assert cron.weights == {A: 1}
    assert done.edits == ("-A -t 192.168.7.110:80 -s wlc", "-a -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 1")


async def test_a_dry_run_changes_and_keeps_nothing(cron: Cron, tmp_path: Path) -> None:
    """It says what would be done, and does not count: ten of them are no three failures."""
    await cron.run(a="F")
    kept = rounds.path_in(tmp_path).read_bytes()
    for _ in range(10):
        assert (await cron.run(a="F", dry_run=True)).edits == ()
    await cron.run(a="F")
    would = await cron.run(a="F", dry_run=True)
    assert would.edits == ("-d -t 192.168.7.110:80 -r 10.0.0.1:80",)
    assert cron.weights == {A: 1, B: 1}
    assert (await cron.run(a="F")).edits == would.edits
    assert rounds.path_in(tmp_path).read_bytes() != kept


async def test_a_dry_run_needs_no_state_folder(cron: Cron, tmp_path: Path) -> None:
    """It writes nothing anywhere."""
    cron.settings = Settings(state_dir=tmp_path / "missing")
    assert (await cron.run(dry_run=True)).edits == ()
    assert files(tmp_path) == []


async def test_a_table_that_is_right_is_silent(cron: Cron) -> None:
    """No edit and no event when all is well and nothing changed."""
    for _ in range(2):
        done = await cron.run()
        assert (done.edits, done.errors, done.events) == ((), (), ())
        assert done.snapshot.services[0].available == 2


async def test_an_edit_by_somebody_else_is_repaired(cron: Cron) -> None:
    """A server that is remembered as up and was taken out is put back, one failure or not; foreign services stay."""
    await cron.run()
    cron.ipvs = MemoryIpvs(Table({KEY: VirtualService(destinations={B: Destination()}), FOREIGN: VirtualService()}))
    await cron.run(a="F")
    assert cron.weights == {A: 1, B: 1}
    assert FOREIGN in cron.ipvs.read().services


async def test_a_refused_edit_is_an_error_of_the_round(cron: Cron) -> None:
    """It is tried once more, then said; the counters are kept all the same."""

    class Refusing(MemoryIpvs):
        def apply(self, edits: Iterable[Edit]) -> list[EditRefused]:
            return [EditRefused(edit, "Operation not permitted") for edit in edits]

    cron.ipvs = Refusing(cron.ipvs.read())
    for _ in range(2):
        assert (await cron.run(a="F")).errors == ()
    for _ in range(2):
        third = await cron.run(a="F")
        assert third.errors == ("-d -t 192.168.7.110:80 -r 10.0.0.1:80: Operation not permitted",)
        assert third.edits == ()


async def test_counters_that_cannot_be_kept_do_not_keep_a_sick_server(cron: Cron, tmp_path: Path) -> None:
    """A full disk is said after the table has been put right."""
    for _ in range(2):
        await cron.run(a="F")
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    rounds.path_in(blocked).write_bytes(rounds.path_in(tmp_path).read_bytes())
    cron.settings = dataclasses.replace(cron.settings, state_dir=blocked)
    save, rounds.save = rounds.save, refuse_to_save
    try:
        with pytest.raises(OSError, match="No space left"):
            await cron.run(a="F")
    finally:
        rounds.save = save
    assert cron.weights == {B: 1}


def refuse_to_save(path: Path, verdicts: object, now: float) -> None:
    raise OSError(28, "No space left on device")


async def test_a_table_in_memory_is_found_again_by_the_next_run(cron: Cron) -> None:
    """It ends with its process; what is remembered is what it held, so nothing is edited twice."""
    cron.ipvs = MemoryIpvs()
    await cron.run(b="F")
    left = left_behind(cron.config, cron.clock)
    assert repr(left) == repr(cron.ipvs.read())
    cron.ipvs = MemoryIpvs(left)
    assert (await cron.run(b="F")).edits == ()


def test_without_an_earlier_run_the_table_in_memory_is_empty(tmp_path: Path) -> None:
    """As it is for a new process."""
    assert left_behind(Cron(tmp_path).config, ManualClock()) == Table()


async def test_more_checks_than_may_run_at_once_are_all_done(tmp_path: Path) -> None:
    """Each has its own deadline, counted from its own start."""
    servers = [Endpoint(f"10.1.{number // 250}.{number % 250 + 1}", 80) for number in range(500)]
    scripts = {endpoint.address: Script("P") for endpoint in servers}
    checked = service(*servers, checks=[check(checker=Scripted(scripts=scripts))])
    config = Config(settings=Settings(state_dir=tmp_path), services=(checked,))
    done = await run_round(config, MemoryIpvs(), ManualClock(), dry_run=False)
    assert {script.asked for script in scripts.values()} == {1}
    assert done.snapshot.services[0].available == 500
