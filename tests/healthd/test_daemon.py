from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from healthd.config import load
from healthd.daemon import Daemon
from healthd.edits import AddDestination, AddService, Edit, EditDestination
from healthd.events import TableEdited
from healthd.ipvs import IpvsUnavailable
from healthd.ipvs.memory import MemoryIpvs
from healthd.lock import Lock
from healthd.model import Destination, ServiceKey, ServiceOptions, Table, VirtualService
from healthd.operators.orders import Order
from healthd.plan import JobId
from healthd.statefile import rounds
from healthd.verdict import Health, Verdict
from tests.support.building import KEY, OTHER_KEY, A
from tests.support.daemons import OTHER, WEB, Site
from tests.support.disks import small_disk

FOREIGN = ServiceKey.marked(99)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


BOTH_UP = (
    "-A -t 192.168.7.110:80 -s wlc\n"
    "-a -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 1\n"
    "-a -t 192.168.7.110:80 -r 10.0.0.2:80 -m -w 1"
)


async def test_from_files_to_the_table(site: Site) -> None:
    """The parts together: checks run, verdicts are found, and the table is what they say. Stopping leaves it."""
    async with site.running():
        await site.until(lambda: site.table == BOTH_UP)
    assert site.table == BOTH_UP


async def test_rule_8_of_the_design_a_stop_may_withdraw(site: Site) -> None:
    """With on_exit = "withdraw" the owned services go, and nothing brings them back while alerts take their leave."""
    site.settings(on_exit="withdraw")
    site.ipvs = MemoryIpvs(Table({FOREIGN: VirtualService()}))
    async with site.running():
        await site.until(lambda: KEY in site.ipvs.read().services)
    assert site.table == "-A -f 99 -s wlc"


async def test_signals_reload_and_stop(site: Site) -> None:
    """SIGHUP and SIGTERM, and their handlers end with the daemon."""
    async with site.running() as daemon:
        os.kill(os.getpid(), signal.SIGHUP)
        reloaded = await site.told("reloaded")
        assert reloaded.text() == "configuration reloaded: nothing changed"
        os.kill(os.getpid(), signal.SIGTERM)
        stopped = await site.told("stopped")
        assert stopped.text() == "healthd stopped: SIGTERM"
        del daemon
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


async def test_a_reload_takes_over_what_changed(site: Site) -> None:
    """A weight, a check, a service more and a service less."""
    async with site.running() as daemon:
        await site.until(lambda: site.table == BOTH_UP)
        assert (daemon._parts.scheduler.view.jobs, daemon._parts.scheduler.view.checks) == (2, 2)
        site.web(weight=5)
        site.write("other.toml", OTHER)
        daemon.reload()
        reloaded = await site.told("reloaded")
        assert reloaded.text() == "configuration reloaded: service other added; service web changed"
        await site.until(lambda: "-r 10.0.0.1:80 -m -w 5" in site.table and OTHER_KEY in site.ipvs.read().services)
        (site.folder / "other.toml").unlink()
        site.web(state="down", weight=5)
        daemon.reload()
        lost = await site.told("service_lost")
        assert lost.text() == "web: no real server left; nobody answers"
        await site.until(lambda: site.table == BOTH_UP.replace("-w 1", "-w 0"))


async def test_what_goes_at_a_reload_is_called_as_before(site: Site) -> None:
    """The edits that take a service away have its name, which the new configuration does not know."""
    site.settings()
    site.write("other.toml", OTHER)
    async with site.running() as daemon:
        await site.until(lambda: {KEY, OTHER_KEY} == set(site.ipvs.read().services))
        (site.folder / "other.toml").unlink()
        daemon.reload()
        await site.told("reloaded")
        edited = await site.told("table_edited")
        assert isinstance(edited, TableEdited)
        assert "other/" in edited.about


async def test_a_renamed_service_does_not_flap(site: Site) -> None:
    """The file says another name, the table never says anything else."""
    site.settings()
    async with site.running() as daemon:
        await site.until(lambda: site.table == BOTH_UP)
        site.write("web.toml", WEB.format(state="up", weight=1).replace("service.web", "service.www"))
        site.events.clear()
        daemon.reload()
        await site.told("reloaded")
        await asyncio.sleep(0.5)
        assert [event.kind for event in site.events] == []
    assert site.table == BOTH_UP


async def test_rule_7_of_the_design_a_bad_file_changes_nothing(site: Site) -> None:
    """It is said what is wrong with it, and the old configuration goes on; the next good one is taken."""
    async with site.running() as daemon:
        await site.until(lambda: site.table == BOTH_UP)
        site.write("web.toml", '[service.web]\nvirtual = "nonsense"\n')
        daemon.reload()
        failed = await site.told("reload_failed")
        assert "configuration not reloaded, the old one goes on: " in failed.text()
        assert "web.toml:2" in failed.text()
        site.ipvs.apply([EditDestination(KEY, A, Destination(weight=9))])
        await site.told("table_drift")
        await site.until(lambda: site.table == BOTH_UP)
        site.web(weight=2)
        daemon.reload()
        await site.told("reloaded")
        await site.until(lambda: "-r 10.0.0.1:80 -m -w 2" in site.table)


async def test_a_service_that_is_new_is_adopted_from_the_table(site: Site) -> None:
    """It exists already, with traffic on it: what serves goes on serving."""
    async with site.running() as daemon:
        await site.until(lambda: site.table == BOTH_UP)
        by_hand: list[Edit] = [
            AddService(OTHER_KEY, ServiceOptions()),
            AddDestination(OTHER_KEY, A, Destination(weight=1)),
        ]
        assert site.ipvs.apply(by_hand) == []
        before = site.table
        site.write("other.toml", OTHER.replace("1s", "1h"))
        site.events.clear()
        daemon.reload()
        await site.told("reloaded")
        await asyncio.sleep(0.3)
        assert [event.kind for event in site.events] == []
        assert site.table == before


async def test_a_table_out_of_reach_at_a_reload_changes_nothing(site: Site) -> None:
    """What the table holds of a new service has to be known first."""

    class OutOfReach(MemoryIpvs):
        broken = False

        def read(self, keys: frozenset[ServiceKey] | None = None) -> Table:
            if self.broken and keys == frozenset({OTHER_KEY}):
                raise IpvsUnavailable("this kernel has no IPVS")
            return super().read(keys)

    site.ipvs = ipvs = OutOfReach()
    async with site.running() as daemon:
        site.write("other.toml", OTHER)
        ipvs.broken = True
        daemon.reload()
        failed = await site.told("reload_failed")
        assert failed.text() == "configuration not reloaded, the old one goes on: this kernel has no IPVS"


async def test_without_a_table_it_does_not_start(site: Site) -> None:
    """The command line says so and what to do; nothing has been done by then."""

    class Nothing(MemoryIpvs):
        def read(self, keys: frozenset[ServiceKey] | None = None) -> Table:  # noqa: ARG002 - none is to be had
            raise IpvsUnavailable("this kernel has no IPVS")

    with pytest.raises(IpvsUnavailable):
        await Daemon(load(site.folder), site.folder, Nothing()).run()


async def test_the_daemon_forgets_what_single_rounds_have_counted(site: Site) -> None:
    """Once it has run, verdicts of before are old: a later `check --once` starts from the table."""
    kept = rounds.path_in(site.state_dir)
    verdicts = {JobId("web/10.0.0.1:80/always"): Verdict(Health.DOWN)}
    rounds.save(kept, verdicts, 0.0)
    assert rounds.load(kept, 0.0) == verdicts
    async with site.running():
        assert rounds.load(kept, 0.0) == {}


async def test_a_disk_that_is_read_only_costs_no_check(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """healthd starts, checks and edits; its socket, its memory and its history are missing, which is said."""
    with small_disk(site.state_dir / "state") as disk:
        disk.make_read_only()
        site.state_dir = disk.path
        site.settings()
        with Lock(disk.path):
            async with site.running():
                await site.until(lambda: site.table == BOTH_UP)
                await site.until(lambda: "history" in caplog.text)
    assert (
        "control.sock cannot be made, the disk is read-only; commands do not reach healthd until it can be written"
        in caplog.text
    )
    assert "a restart would forget what operators set" in caplog.text


async def test_a_frozen_table_is_not_withdrawn(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever on_exit says, and the log says so; the next daemon finds the table frozen."""
    site.settings(on_exit="withdraw")
    async with site.running() as daemon:
        await site.until(lambda: site.table == BOTH_UP)
        await daemon.operator.freeze(Order(who="root"), ttl=None)
    assert site.table == BOTH_UP
    assert 'on_exit = "withdraw" is left out: the table is frozen by an operator' in caplog.text
    async with site.running() as daemon:
        assert daemon.operator.frozen is not None
        await daemon.operator.thaw(Order(who="root"))
    assert site.table == ""


async def test_what_operators_set_survives_a_restart_and_a_reload(site: Site) -> None:
    """Also a change of the server's weight, and of its check."""
    async with site.running() as daemon:
        await site.until(lambda: site.table == BOTH_UP)
        await daemon.operator.drain("10.0.0.2", Order(who="root"), limit=None)
        await site.until(lambda: "10.0.0.2:80 -m -w 0" in site.table)
    async with site.running() as daemon:
        site.web(weight=5)
        daemon.reload()
        await site.until(lambda: "10.0.0.1:80 -m -w 5" in site.table)
        assert "10.0.0.2:80 -m -w 0" in site.table
        await daemon.operator.ready("web/*", Order(who="root"))
        await site.until(lambda: "10.0.0.2:80 -m -w 1" in site.table)


async def test_signs_of_life_are_given_only_while_checks_advance(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alerts and the watchdog go by the same vitals."""
    async with site.running() as daemon:
        assert daemon._parts.router._stalled() == ""
        monkeypatch.setattr(daemon._parts.controller, "recorded_at", -1e9)
        monkeypatch.setattr(daemon.vitals, "_since", -1e9)
        assert daemon._parts.router._stalled().startswith("no check has ended for ")
