"""N of M, seen from the kernel's table: in a daemon, and over separate runs as from cron."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.configuring import service, table, written
from tests.kernel.topology import Lab, Topology
from tests.kernel.waiting import eventually

WEB = "-t 10.1.0.100:80"
WELL = table(WEB, "-s rr", "10.2.0.11:80 -m -w 1", "10.2.0.12:80 -m -w 1")
ONE_OUT = table(WEB, "-s rr", "10.2.0.11:80 -m -w 0", "10.2.0.12:80 -m -w 1")
TWO = ("10.2.0.11", "10.2.0.12")


@pytest.fixture(scope="module")
def network() -> Iterator[Lab]:
    with Topology(servers=2) as lab:
        yield lab


@pytest.fixture
def lab(network: Lab) -> Lab:
    network.director.ipvsadm("-C")
    network.mend()
    return network


def test_one_failure_in_five_leaves_a_server_in_and_three_take_it_out(lab: Lab, tmp_path: Path) -> None:
    """With fall = "3/5" a server that fails one check in five stays for good; one that fails three in five goes."""
    defaults = 'interval = "200ms"\nfast_interval = "200ms"\ntimeout = "10s"\nfall = "3/5"\nrise = 5\nscheduler = "rr"'
    web = service(
        "web", 'virtual = "10.1.0.100:80"', check='type = "http"\npath = "/health"\nexpect = "OK"', servers=TWO
    )
    conf = written(tmp_path, web, defaults=defaults)
    flaky = lab.servers[0]
    flaky.answer_in_turn([(200, "OK")] * 4 + [(500, "no")], path="/health")
    daemon = lab.director.start(conf, tmp_path / "log")
    lab.director.becomes(WELL, 60)
    with lab.director.watch(every=0.05) as watch:
        asked = flaky.requests("/health")
        eventually(lambda: flaky.requests("/health") > asked + 20, "twenty checks", 60)
    assert [repr(seen) for _, seen in watch.seen] == [WELL]
    flaky.answer_in_turn([(500, "no"), (200, "OK"), (500, "no"), (200, "OK"), (500, "no")], path="/health")
    lab.director.becomes(ONE_OUT)
    flaky.answer_in_turn([(200, "OK")], path="/health")
    lab.director.becomes(WELL)
    assert daemon.stop() == 0


def test_three_runs_from_cron_take_a_server_out(lab: Lab, tmp_path: Path) -> None:
    """With fall = 3 the third `check --once` that fails edits the table; statuses tell; a daemon keeps others away."""
    web = service("web", 'virtual = "10.1.0.100:80"', servers=TWO)
    defaults = 'timeout = "10s"\nfall = 3\nrise = 1\nscheduler = "rr"'
    conf = str(written(tmp_path, web, defaults=defaults))
    run = lab.director.healthd

    first = run("check", "--once", "-c", conf)
    assert (first.returncode, lab.director.table()) == (0, WELL)
    quiet = run("check", "--once", "-c", conf)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    lab.servers[0].kill()
    statuses = []
    for _ in range(2):
        statuses.append(run("check", "--once", "-c", conf).returncode)
        assert lab.director.table() == WELL
    dry = run("check", "--once", "--dry-run", "-c", conf)
    assert f"-e {WEB} -r 10.2.0.11:80 -m -w 0" in dry.stdout
    assert lab.director.table() == WELL
    statuses.append(run("check", "--once", "-c", conf).returncode)
    assert (statuses, lab.director.table()) == ([0, 0, 1], ONE_OUT)
    lab.servers[1].kill()
    statuses = [run("check", "--once", "-c", conf).returncode for _ in range(3)]
    assert statuses == [1, 1, 2]
    daemon = lab.director.start(Path(conf), tmp_path / "log")
    daemon.says("started", 60)
    refused = run("check", "--once", "-c", conf)
    assert refused.returncode == 75
    assert str(daemon.process.pid) in refused.stderr
    assert daemon.stop() == 0
