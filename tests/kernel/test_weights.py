"""Weights that servers ask for, on the kernel's table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.configuring import table, written
from tests.kernel.topology import Lab, Topology

WEB = "-t 10.1.0.100:80"
FIRST, SECOND = "10.2.0.11", "10.2.0.12"

AGENT = '''
from dataclasses import dataclass
from pathlib import Path
from checkers.base import Checker, Outcome, Target, passed

@dataclass(frozen=True, kw_only=True)
class Agent(Checker):
    """Says what stands in a file of the server's name: a share of the weight in percent, or "degraded"."""

    folder: str

    async def check(self, target: Target) -> Outcome:
        said = Path(self.folder, target.server_address).read_text().strip()
        if said == "degraded":
            return passed("L7OK", said, degraded=True)
        return passed("L7OK", said, factor=int(said) / 100)
'''
SERVICE = f"""
[service.web]
virtual = "10.1.0.100:80"
degraded_weight = "25%"
weight_interval = "1s"
check = [
    {{{{ type = "http", expect = "OK" }}}},
    {{{{ type = "agent:Agent", folder = "{{folder}}" }}}},
]
server = [
    {{{{ address = "{FIRST}", weight = 100 }}}},
    {{{{ address = "{SECOND}", weight = 100 }}}},
]
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Topology(servers=2) as lab:
        yield lab


def weights(first: int, second: int) -> str:
    return table(WEB, "-s rr", f"{FIRST}:80 -m -w {first}", f"{SECOND}:80 -m -w {second}")


def test_a_server_gets_the_weight_it_asks_for_unless_it_is_down(lab: Lab, tmp_path: Path) -> None:
    """A share, more than all, nothing, degraded; and whatever it asks for: who does not answer has weight 0."""
    lab.director.ipvsadm("-C")
    (tmp_path / "agent.py").write_text(AGENT)

    def says(server: str, text: str) -> None:
        (tmp_path / "new").write_text(text)
        (tmp_path / "new").rename(tmp_path / server)  # in one step: it is read all the time

    says(FIRST, "100")
    says(SECOND, "100")
    conf = written(tmp_path, SERVICE.format(folder=tmp_path), settings=f'resync = "2s"\nplugin_dir = "{tmp_path}"')
    daemon = lab.director.start(conf, tmp_path / "log")
    lab.director.becomes(weights(100, 100), 60)
    says(FIRST, "40")
    lab.director.becomes(weights(40, 100))
    says(SECOND, "250")
    lab.director.becomes(weights(40, 250))
    says(SECOND, "0")
    lab.director.becomes(weights(40, 0))
    says(SECOND, "degraded")
    lab.director.becomes(weights(40, 25))

    lab.servers[0].kill()
    lab.director.becomes(weights(0, 25))
    with lab.director.watch() as watch:
        says(FIRST, "200")
        says(SECOND, "70")
        lab.director.becomes(weights(0, 70))
    assert all(f"{FIRST}:80 -m -w 0" in repr(seen) for _, seen in watch.seen)

    says(FIRST, "60")
    lab.servers[0].start()
    lab.director.becomes(weights(60, 70))
    assert daemon.stop() == 0
    log = daemon.log.read_text()
    assert "server 10.2.0.11:80 weight 100 -> 40 (100 configured)" in log
    assert "server 10.2.0.12:80 degraded, weight 0 -> 25 (100 configured)" in log
