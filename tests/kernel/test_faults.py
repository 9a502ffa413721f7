"""What befalls a real server is found out, leaves the table, and comes back: on the kernel's table, under load."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from healthd.model import Forward
from tests.kernel.configuring import FAST, service, table, written
from tests.kernel.director import Daemon
from tests.kernel.servers import RealServer
from tests.kernel.topology import Lab, Topology
from tests.kernel.waiting import eventually

WEB, SHOP = "-t 10.1.0.100:80", "-t 10.1.0.100:8080"
DEFAULTS = FAST.replace("10s", "3s")
"""A server that does not answer at all is found out by the timeout."""

Act = Callable[[RealServer], None]
FAULTS: dict[str, tuple[Act, Act]] = {
    "killed": (lambda server: server.kill(), lambda server: server.start()),
    "stopped": (lambda server: server.stop(), lambda server: server.resume()),
    "unplugged": (lambda server: server.unplug(), lambda server: server.plug()),
    "error": (lambda server: server.answer(500), lambda server: server.answer()),
    "wrong-text": (lambda server: server.answer(200, "maintenance"), lambda server: server.answer()),
}


@pytest.fixture(scope="module", params=[Forward.MASQ, Forward.GATE], ids=str)
def forward(request: pytest.FixtureRequest) -> Forward:
    return Forward(request.param)


@pytest.fixture(scope="module")
def network(forward: Forward) -> Iterator[Lab]:
    with Topology(servers=3, forward=forward, nginx=1) as lab:
        yield lab


@pytest.fixture(scope="module")
def daemon(network: Lab, forward: Forward, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """healthd with a service that quiesces; with masq, which can change the port, also one that removes."""
    folder = tmp_path_factory.mktemp("healthd")
    services = [service("web", 'virtual = "10.1.0.100:80"', f'forward = "{forward}"', server="")]
    if forward is Forward.MASQ:
        services.append(service("shop", 'virtual = "10.1.0.100:8080"', 'on_failure = "remove"'))
    running = network.director.start(written(folder, *services, defaults=DEFAULTS), folder / "log")
    network.director.becomes(expected(forward), 60)
    yield running
    assert running.stop() == 0


def expected(forward: Forward, sick: str = "") -> str:
    """The table while `sick` is out: weight 0 in web, gone from shop."""
    addresses = ("10.2.0.11", "10.2.0.12", "10.2.0.13")
    web = [f"{address}:80 {forward.option} -w {int(address != sick)}" for address in addresses]
    shop = [f"{address}:80 -m -w 1" for address in addresses if address != sick]
    lines = table(WEB, "-s rr", *web)
    return lines + "\n" + table(SHOP, "-s rr", *shop) if forward is Forward.MASQ else lines


@pytest.mark.parametrize("index", [0, 1], ids=["nginx", "small"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_sick_server_leaves_and_a_mended_one_returns(
    network: Lab,
    daemon: Daemon,
    forward: Forward,
    fault: str,
    index: int,
    record_property: Callable[[str, object], None],
) -> None:
    """Each fault takes the one server out, in both ways; who asks from then on sees no failure; mended, it is back."""
    director, server = network.director, network.servers[index]
    harm, mend = FAULTS[fault]
    with network.client.load("10.1.0.100") as load:
        eventually(lambda: load.answers, "the load runs")
        began = time.monotonic()
        harm(server)
        director.becomes(expected(forward, server.address))
        record_property("seconds from fault to edit", round(time.monotonic() - began, 2))
        with network.client.load("10.1.0.100") as afterwards:
            afterwards.goes_on()
            mend(server)
            director.becomes(expected(forward))
            afterwards.goes_on()
    assert afterwards.failures() == []
    assert {answer.server for answer in afterwards.answers} >= {"server3"}
