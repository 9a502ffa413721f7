"""Checks in worker processes: the parent edits the kernel's table, and they cannot."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.kernel.configuring import service, table, written
from tests.kernel.topology import Topology
from tests.support.processes import processes

TABLE = table("-t 10.1.0.100:80", "-s rr", *(f"10.2.0.{n}:80 -m -w {w}" for n, w in ((11, 0), (12, 1), (13, 1))))

INTRUDER = """
type = "command"
command = ["/bin/sh", "-c", "command -v ipvsadm && ! ipvsadm -A -t 10.1.0.100:6666"]
"""


def test_workers_find_out_and_the_parent_edits(tmp_path: Path) -> None:
    """What is killed goes; a script that tries to edit the table fails; a killed worker changes nothing."""
    servers = ("10.2.0.12",)
    web = service("web", 'virtual = "10.1.0.100:80"')
    intruder = service("intruder", 'virtual = "10.1.0.100:8080"', check=INTRUDER, servers=servers)
    with Topology(servers=3) as lab:
        conf = written(tmp_path, web, intruder, settings='resync = "2s"\nworkers = 2')
        daemon = lab.director.start(conf, tmp_path / "log")
        lab.servers[0].kill()
        both = TABLE + "\n" + table("-t 10.1.0.100:8080", "-s rr", "10.2.0.12:80 -m -w 1")
        lab.director.becomes(both, 90)
        with lab.director.watch(every=0.05) as watch:
            for worker in [one.number for one in processes() if one.parent == daemon.process.pid]:
                os.kill(worker, signal.SIGKILL)
            daemon.says("worker 1 of 2 was lost: killed by SIGKILL")
            daemon.says("worker 2 of 2 was lost: killed by SIGKILL")
        assert len(watch.seen) == 1
        lab.servers[0].start()
        lab.director.becomes(both.replace("-w 0", "-w 1"), 60)
        assert daemon.stop() == 0
