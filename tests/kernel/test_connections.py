"""What the kernel counts of real servers, with real connections through the director."""

from __future__ import annotations

import re

from healthd.model import Connections
from tests.kernel.topology import Lab, Topology
from tests.kernel.waiting import eventually

COUNTS = re.compile(r"-> (\S+) +\w+ +\d+ +(\d+) +(\d+)")
PERSISTING = re.compile(r"-> (\S+) +\d+ +(\d+) +\d+ +\d+")


def counted(network: Lab) -> dict[str, Connections]:
    """By server, as healthd reads them in the director."""
    found = [each for each in network.director.ipvs.counts() if each]
    return {str(endpoint): counts for _, servers in found for endpoint, counts in servers.items()}


def witnessed(network: Lab) -> dict[str, Connections]:
    """The same as ipvsadm shows it."""
    persisting = dict(PERSISTING.findall(network.director.ipvsadm("-Ln --persistent-conn")))
    found = COUNTS.findall(network.director.ipvsadm("-Ln"))
    return {
        server: Connections(int(active), int(inactive), int(persisting[server])) for server, active, inactive in found
    }


def test_what_is_counted_is_what_ipvsadm_shows() -> None:
    """Connections that are open, ones that are ending, and the clients that are bound to a server."""
    with Topology(servers=2) as network:
        director = network.director
        director.ipvsadm("-A -t 10.1.0.100:80 -s rr -p 300")
        for server in network.servers:
            director.ipvsadm(f"-a -t 10.1.0.100:80 -r {server.address}:80 -m")
        for _ in range(3):
            assert network.client.get("10.1.0.100").good
        eventually(lambda: sum(counts.inactive for counts in counted(network).values()) == 3, "all three have ended")
        assert sum(counts.persistent for counts in counted(network).values()) == 1
        eventually(lambda: counted(network) == witnessed(network), "healthd and ipvsadm agree")
