"""kill -9 at random moments: the table stays consistent, and the next start goes on from it without a flap."""

from __future__ import annotations

import random
import threading
from pathlib import Path

from healthd.model import Endpoint, Table
from tests.kernel.configuring import service, table, written
from tests.kernel.topology import Topology
from tests.kernel.waiting import eventually

WEB = "-t 10.1.0.100:80"
TIMES = 20
DEFAULTS = """
    interval = "300ms"
    fast_interval = "300ms"
    timeout = "10s"
    fall = 1
    rise = 1
    scheduler = "rr"
"""
WELL, FLAPPING, DEAD = (Endpoint(address, 80) for address in ("10.2.0.11", "10.2.0.12", "10.2.0.13"))


def weight(seen: Table, server: Endpoint) -> int | None:
    """The server's weight in the one service; None while the service or the server is not there."""
    for virtual in seen.services.values():
        if server in virtual.destinations:
            return virtual.destinations[server].weight
    return None


def test_twenty_crashes_leave_the_table_of_an_undisturbed_run(tmp_path: Path) -> None:
    """No healthy server loses its weight, a dead one stays out, and at the end all is as if nothing had happened."""
    moments = random.Random(20)
    with Topology(servers=3) as lab:
        conf = written(tmp_path, service("web", 'virtual = "10.1.0.100:80"'), defaults=DEFAULTS)
        lab.servers[2].kill()
        undisturbed = lab.director.start(conf, tmp_path / "undisturbed")
        right = table(WEB, "-s rr", *(f"{server} -m -w {int(server != DEAD)}" for server in (WELL, FLAPPING, DEAD)))
        lab.director.becomes(right, 60)
        undisturbed.kill()
        lab.servers[1].answer_in_turn([(200, "OK"), (500, "no")])
        with lab.director.watch(every=0.02) as watch, lab.client.load("10.1.0.100", every=0.1):
            for number in range(TIMES):
                daemon = lab.director.start(conf, tmp_path / f"log{number}")
                daemon.says("started", 60)
                threading.Event().wait(moments.uniform(0, 1.2))  # the moment is the point: any will do
                assert daemon.kill() == -9
            lab.servers[1].answer()
            last = lab.director.start(conf, tmp_path / "last")
            last.says("started", 60)
            asked = lab.servers[1].requests()
            eventually(lambda: lab.servers[1].requests() > asked + 3, "a few more checks")
            lab.director.becomes(right, 60)
        assert last.stop() == 0
        assert lab.director.table() == "\n".join(sorted(right.splitlines()))
    assert {weight(seen, WELL) for _, seen in watch.seen} == {1}
    assert {weight(seen, DEAD) for _, seen in watch.seen} == {0}
    assert {weight(seen, FLAPPING) for _, seen in watch.seen} == {0, 1}
