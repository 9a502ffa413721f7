"""The last server lost, and the first one back: on the kernel's table, read as fast as it can be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from healthd.model import Table
from tests.kernel.configuring import service, table, written
from tests.kernel.topology import Lab, Topology
from tests.kernel.waiting import eventually

WEB = "-t 10.1.0.100:80"
FALLBACK = "10.2.0.13:80"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Topology(servers=3) as lab:
        yield lab


def weighted(seen: Table) -> int:
    """How many destinations the one service has that can take a connection."""
    (virtual,) = seen.services.values()
    return sum(destination.weight > 0 for destination in virtual.destinations.values())


@pytest.mark.parametrize("on_failure", ["quiesce", "remove"])
def test_the_fallback_bridges_the_gap_without_one(lab: Lab, tmp_path: Path, on_failure: str) -> None:
    """It is in before the last server goes out, out after the first is back; at no time is the service empty."""
    lab.director.ipvsadm("-C")
    web = service(
        "web",
        'virtual = "10.1.0.100:80"',
        f'on_failure = "{on_failure}"',
        f'fallback = "{FALLBACK}"',
        servers=("10.2.0.11", "10.2.0.12"),
    )
    daemon = lab.director.start(written(tmp_path, web), tmp_path / "log")
    first, second = "10.2.0.11:80 -m -w 1", "10.2.0.12:80 -m -w 1"
    lab.director.becomes(table(WEB, "-s rr", first, second), 60)
    with lab.director.watch() as watch:
        lab.servers[0].kill()
        lab.servers[1].kill()
        gone = ["10.2.0.11:80 -m -w 0", "10.2.0.12:80 -m -w 0"] if on_failure == "quiesce" else []
        lab.director.becomes(table(WEB, "-s rr", *gone, f"{FALLBACK} -m -w 1"))
        assert lab.client.get("10.1.0.100").text == "OK server3"
        lab.servers[1].start()
        lab.director.becomes(table(WEB, "-s rr", *gone[:1], second))
        lab.servers[0].start()
        lab.director.becomes(table(WEB, "-s rr", first, second))
        eventually(lambda: watch.readings > 50, "fifty readings")
    assert [repr(seen) for _, seen in watch.seen if not weighted(seen)] == []
    assert daemon.stop() == 0
    log = daemon.log.read_text()
    for told in ("web: no real server left", "fallback server 10.2.0.13:80 takes over", "is withdrawn"):
        assert log.count(told) == 1, told
