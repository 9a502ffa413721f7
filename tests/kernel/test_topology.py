"""The network that the other tests stand on does what it is taken for, with a table written by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from healthd.model import Forward
from tests.kernel.client import LONG, get
from tests.kernel.topology import Lab, Topology
from tests.kernel.waiting import eventually

SOA_OF_EXAMPLE = bytes.fromhex("0007 0100 0001 0000 0000 0000 07 6578616d706c65 00 0006 0001")


@pytest.fixture(scope="module", params=[Forward.MASQ, Forward.GATE], ids=str)
def forward(request: pytest.FixtureRequest) -> Forward:
    return Forward(request.param)


@pytest.fixture(scope="module")
def network(forward: Forward) -> Iterator[Lab]:
    with Topology(servers=3, forward=forward, nginx=1) as lab:
        yield lab


@pytest.fixture
def lab(network: Lab) -> Lab:
    network.director.ipvsadm("-C")
    network.mend()
    return network


def serve(lab: Lab, forward: Forward, service: str, port: int, *, six: bool = False) -> None:
    lab.director.ipvsadm(f"-A {service} -s rr")
    for server in lab.servers:
        address = f"[{server.address6}]" if six else server.address
        lab.director.ipvsadm(f"-a {service} -r {address}:{port} {forward.option} -w 1")


def test_requests_to_the_virtual_address_reach_every_server(lab: Lab, forward: Forward) -> None:
    """The kernel's IPVS spreads the client's connections over all real servers."""
    serve(lab, forward, f"-t {lab.vip}:80", 80)
    answers = [lab.client.get(lab.vip) for _ in range(6)]
    assert sorted(answer.text for answer in answers) == [f"OK server{n}" for n in (1, 1, 2, 2, 3, 3)]


def test_ipv6_does_too(lab: Lab, forward: Forward) -> None:
    """The same through an IPv6 virtual address."""
    serve(lab, forward, f"-t [{lab.vip6}]:80", 80, six=True)
    assert {lab.client.get(lab.vip6).text for _ in range(6)} == {"OK server1", "OK server2", "OK server3"}


@pytest.mark.parametrize("six", [False, True], ids=["ipv4", "ipv6"])
def test_marked_packets_reach_a_fwmark_service(lab: Lab, forward: Forward, *, six: bool) -> None:
    """What `Director.mark` marks belongs to the service of that mark."""
    lab.director.mark(7, 80)
    serve(lab, forward, "-f 7 -6" if six else "-f 7", 0, six=six)
    assert {lab.client.get(lab.vip6 if six else lab.vip).status for _ in range(6)} == {200}


def test_dns_over_the_virtual_address(lab: Lab, forward: Forward) -> None:
    """A UDP service is answered from the virtual address, with the code that was ordered."""
    lab.director.ipvsadm(f"-A -u {lab.vip}:53 -s rr")
    lab.director.ipvsadm(f"-a -u {lab.vip}:53 -r {lab.servers[1].address}:53 {forward.option}")
    assert lab.client.ask_dns(SOA_OF_EXAMPLE, lab.vip)[:12] == bytes.fromhex("0007 8580 0001 0001 0000 0000")
    lab.servers[1].answer_dns(2)
    assert lab.client.ask_dns(SOA_OF_EXAMPLE, lab.vip)[:4] == bytes.fromhex("0007 8582")


@pytest.mark.parametrize("number", [0, 1], ids=["nginx", "server"])
def test_what_befalls_a_server_is_seen_by_the_director(lab: Lab, number: int) -> None:
    """Killed, stopped, unplugged, answering otherwise: and well again."""
    server = lab.servers[number]
    well = (200, f"OK {server.name}")

    def asked(seconds: float = LONG) -> tuple[int, str]:
        answer = get(lab.director, server.address, seconds=seconds)
        return answer.status, answer.text

    assert asked() == well
    server.answer(500)
    assert asked()[0] == 500
    server.answer(200, "something else")
    assert asked() == (200, "something else")
    server.answer()
    server.kill()
    assert "refused" in asked()[1]
    server.start()
    server.stop()
    assert "timed out" in asked(0.5)[1]
    server.resume()
    eventually(lambda: asked() == well, "answers again")
    server.unplug()
    assert asked(0.5)[0] == 0
    server.plug()
    eventually(lambda: asked() == well, "answers again")


def test_answers_in_turn_are_counted(lab: Lab) -> None:
    """One answer in some can be made a bad one, for one path alone."""
    server = lab.servers[1]
    server.answer_in_turn([(200, "OK"), (500, "no")], path="/health")
    assert [get(lab.director, server.address, path="/health").status for _ in range(4)] == [200, 500, 200, 500]
    assert get(lab.director, server.address).status == 200
    assert server.requests("/health") == 4


def test_the_watch_sees_every_edit(lab: Lab) -> None:
    """The table is read often enough that edits by hand are all seen, each with its time.

    A reading asks for the services first, and then for the servers of each: in between a service may lose them.
    """
    service = f"-t {lab.vip}:80"
    added, server = f"-A {service} -s rr", f"{service} -r 10.2.0.11:80"
    with lab.director.watch() as watch:
        for command in (added, f"-a {server} -m", f"-d {server}", f"-D {service}"):
            lab.director.ipvsadm(command)
            readings = watch.readings
            eventually(lambda: watch.readings >= readings + 2, "read again")  # noqa: B023 - called at once
    assert [repr(table) for _, table in watch.seen] == [
        "",
        added,
        f"{added}\n-a {server} -m -w 1",
        added,
        "",
    ]


def test_the_load_keeps_every_answer(lab: Lab, forward: Forward) -> None:
    """A client that asks all the time notices a server that is gone."""
    serve(lab, forward, f"-t {lab.vip}:80", 80)
    with lab.client.load(lab.vip) as load:
        eventually(lambda: len(load.answers) >= 6, "answers")
        assert load.failures() == []
        lab.servers[2].kill()
        eventually(load.failures, "a failure")
