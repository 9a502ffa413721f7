"""The examples that are shipped, run as they are: `healthd run -c conf.d`."""

from __future__ import annotations

import subprocess
from pathlib import Path

from healthd.config import load
from tests.kernel.director import CHECKOUT
from tests.kernel.topology import Topology
from tests.kernel.waiting import eventually

WEB = "-t 192.168.7.110:80"


def test_the_examples_are_kept_true(tmp_path: Path) -> None:
    """Each of their services is in the table; servers at their addresses are checked, leave it and come back."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/var/lib"], check=True)  # seen in this lab alone
    config = load(CHECKOUT / "conf.d")
    web = next(one for one in config.services if one.name == "web")
    with Topology(servers=len(web.servers)) as lab:
        lab.director.ip("address add 192.168.7.1/24 dev eth0")
        for server, configured in zip(lab.servers, web.servers, strict=True):
            server.ip(f"address add {configured.endpoint.address}/24 dev eth0")
        daemon = lab.director.start(CHECKOUT / "conf.d", tmp_path / "log")
        daemon.says("started", 60)
        first, weight = str(web.servers[0].endpoint), web.servers[0].destination.weight
        well, sick = (f"-a {WEB} -r {first} -g -w {number}" for number in (weight, 0))
        eventually(lambda: well in lab.director.table(), "in with its weight", 60)
        assert {str(service.key) for service in config.services} <= {
            line.split(" -s ")[0].removeprefix("-A ")
            for line in lab.director.table().splitlines()
            if line.startswith("-A")
        }
        lab.servers[0].kill()
        eventually(lambda: sick in lab.director.table(), "out", 60)
        lab.servers[0].start()
        eventually(lambda: well in lab.director.table(), "in again", 60)
        assert daemon.stop() == 0
