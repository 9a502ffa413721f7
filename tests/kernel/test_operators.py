"""What operators do, on the kernel's table and with real connections through the director."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kernel.configuring import service, table, written
from tests.kernel.director import Daemon
from tests.kernel.servers import RealServer
from tests.kernel.topology import VIP, Lab, Topology
from tests.kernel.waiting import eventually

PORT = 9000
KEY = f"-t {VIP}:{PORT}"
ONE, OTHER = f"10.2.0.11:{PORT}", f"10.2.0.12:{PORT}"
RESET = struct.pack("ii", 1, 0)
"""A connection ends with a reset, which IPVS remembers for 10 s; an orderly end it remembers for longer."""
SERVICE = service(
    "web",
    f'virtual = "{VIP}:{PORT}"',
    check='type = "tcp"',
    servers=("10.2.0.11", "10.2.0.12"),
    server=f"port = {PORT}",
)


def weights(one: int | None, other: int = 1) -> str:
    servers = [f"{server} -m -w {weight}" for server, weight in ((ONE, one), (OTHER, other)) if weight is not None]
    return table(KEY, "-s rr", *servers)


@contextmanager
def holding(server: RealServer) -> Iterator[None]:
    """A server on `PORT` that accepts connections and keeps them open until the other side ends them."""
    with server.inside():
        listener = socket.create_server(("", PORT))
    kept: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                kept.append(listener.accept()[0])
            except OSError:
                return

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in kept:
            connection.close()


def active(lab: Lab) -> dict[str, int]:
    """Open connections of each server."""
    found = [each for each in lab.director.ipvs.counts() if each]
    return {str(end): counts.active for _, servers in found for end, counts in servers.items()}


@contextmanager
def connected(lab: Lab, server: str) -> Iterator[socket.socket]:
    """A client's connection through the director that has come to be at this server; any other is ended."""
    for _ in range(4):
        before = active(lab)
        with lab.client.inside():
            connection = socket.socket()
        with connection:
            connection.settimeout(60)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            connection.connect((VIP, PORT))
            eventually(lambda: any(active(lab)[end] > before[end] for end in before), "the connection is counted")  # noqa: B023 - called at once
            if active(lab)[server] > before[server]:
                yield connection
                return
    raise AssertionError(f"round robin never came to {server}")


def ordered(folder: Path, act: str, **body: object) -> None:
    """One order, given over the daemon's socket; a client in a process of its own takes long to start here."""
    with socket.socket(socket.AF_UNIX) as plug:
        plug.settimeout(60)
        plug.connect(str(folder / "state/control.sock"))
        asking = http.client.HTTPConnection("localhost")
        asking.sock = plug
        headers = {"Content-Type": "application/json"}
        asking.request("POST", f"/api/v1/{act}", json.dumps({"reason": "a test", **body}), headers)
        answer = asking.getresponse()
        assert answer.status == 200, answer.read()


@contextmanager
def site(folder: Path) -> Iterator[tuple[Lab, Path, Daemon]]:
    """Two servers, both up."""
    with Topology(servers=2) as lab, holding(lab.servers[0]), holding(lab.servers[1]):
        conf = written(folder, SERVICE)
        daemon = lab.director.start(conf, folder / "log")
        lab.director.becomes(weights(1), 60)
        yield lab, conf, daemon


def test_a_drain_ends_when_its_last_connection_does(tmp_path: Path) -> None:
    """New connections go elsewhere, the open one goes on, and it survives a kill -9 of healthd."""
    with site(tmp_path) as (lab, conf, daemon), connected(lab, ONE) as connection:
        ordered(tmp_path, "drain", servers=[f"web/{ONE}"])
        lab.director.becomes(weights(0))
        daemon.kill()
        other = lab.director.start(conf, tmp_path / "log2")
        other.says("started", 60)
        with connected(lab, OTHER), connected(lab, OTHER):
            pass
        assert "is drained" not in other.log.read_text()
        lab.director.becomes(weights(0))
        connection.close()
        other.says(f"web: server {ONE} is drained: no connection left", 60)
        lab.director.becomes(weights(0))
        ordered(tmp_path, "ready", servers=[f"web/{ONE}"])
        lab.director.becomes(weights(1))


def test_a_drain_that_goes_on_is_cut(tmp_path: Path) -> None:
    """At its limit the server leaves the table, and with `ready` it comes back through its checks."""
    with site(tmp_path) as (lab, _, daemon), connected(lab, ONE):
        ordered(tmp_path, "drain", servers=[f"web/{ONE}"], limit=8)
        lab.director.becomes(weights(0))
        lab.director.becomes(weights(None), 60)
        daemon.says("is cut: 1 active, 0 inactive, 0 persistent connections left")
        ordered(tmp_path, "ready", servers=[f"web/{ONE}"])
        lab.director.becomes(weights(1))


def test_maintenance_ends_through_the_checks(tmp_path: Path) -> None:
    """By its time; the weight comes back with the first outcome after it."""
    with site(tmp_path) as (lab, _, daemon):
        ordered(tmp_path, "maintenance", servers=[f"web/{ONE}"], ttl=8)
        lab.director.becomes(weights(0))
        daemon.says("out of maintenance: its time is over", 60)
        lab.director.becomes(weights(1))
        daemon.says(f"web: server {ONE} unknown -> up after 1 outcome")


def test_a_frozen_table_is_left_alone(tmp_path: Path) -> None:
    """What somebody else does to it stands, over a restart too, until it is thawed."""
    with site(tmp_path) as (lab, conf, daemon):
        ordered(tmp_path, "freeze")
        lab.director.ipvsadm(f"-e {KEY} -r {ONE} -m -w 7")
        daemon.says("left so while it is frozen", 60)
        daemon.kill()
        other = lab.director.start(conf, tmp_path / "log2")
        other.says("started", 60)
        lab.director.ipvsadm(f"-e {KEY} -r {OTHER} -m -w 8")
        other.says("left so while it is frozen", 60)
        lab.director.becomes(weights(7, 8))
        ordered(tmp_path, "thaw")
        lab.director.becomes(weights(1))
