"""A network with a director, a client and real servers, all connected by one bridge.

    with Topology(servers=3, forward=Forward.MASQ) as lab:
        lab.director.ipvsadm(f"-A -t {lab.vip}:80 -s rr")
        lab.client.get(lab.vip)
        lab.servers[0].unplug()

The client is in 10.1.0.0/24, the servers are in 10.2.0.0/24 (server 1 is 10.2.0.11), the director is in both; for IPv6
the same with fd00:1::/64 and fd00:2::/64. With masq, the servers' way to the client is the director. With gate it is
direct, and they have the virtual addresses on their loopback device, silent about them in ARP.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from healthd.model import Forward
from tests.kernel.client import Client
from tests.kernel.director import Director
from tests.kernel.namespaces import Switch
from tests.kernel.servers import Nginx, RealServer

VIP, VIP6 = "10.1.0.100", "fd00:1::100"
_SILENT_ARP = {"ipv4/conf/all/arp_ignore": 1, "ipv4/conf/all/arp_announce": 2}


@dataclass(frozen=True)
class Lab:
    director: Director
    client: Client
    servers: list[RealServer]
    vip: str = VIP
    vip6: str = VIP6

    def mend(self) -> None:
        """Every server runs, is plugged in and answers well."""
        for server in self.servers:
            server.kill()
            server.plug()
            server.start()


@contextmanager
def Topology(*, servers: int = 3, forward: Forward = Forward.MASQ, nginx: int = 0) -> Iterator[Lab]:  # noqa: N802 - reads as the thing it makes
    """The network, up and running; the first `nginx` of the servers are nginx."""
    with ExitStack() as stack:
        switch = Switch("switch")
        stack.callback(switch.delete)
        client = Client("client", switch, ["10.1.0.2/24", "fd00:1::2/64"])
        stack.callback(client.delete)
        addresses = ["10.1.0.1/24", "10.2.0.1/24", f"{VIP}/32", "fd00:1::1/64", "fd00:2::1/64", f"{VIP6}/128"]
        director = Director("director", switch, addresses)
        stack.callback(director.delete)
        made: list[RealServer] = []
        for number in range(1, servers + 1):
            kind = Nginx if number <= nginx else RealServer
            server = kind(f"server{number}", switch, f"10.2.0.{10 + number}", f"fd00:2::{10 + number}")
            stack.callback(server.delete)
            stack.callback(server.kill)
            _connect(server, client, forward)
            server.start()
            made.append(server)
        yield Lab(director, client, made)


def _connect(server: RealServer, client: Client, forward: Forward) -> None:
    """The way back to the client, which is what the forwarding methods differ in."""
    if forward is Forward.MASQ:
        server.ip("route add default via 10.2.0.1", "route add default via fd00:2::1")
        return
    server.sysctl(_SILENT_ARP)
    server.ip(
        f"address add {VIP}/32 dev lo",
        f"address add {VIP6}/128 dev lo",
        "route add 10.1.0.0/24 dev eth0",
        "route add fd00:1::/64 dev eth0",
    )
    client.ip(f"route replace {server.address}/32 dev eth0", f"route replace {server.address6}/128 dev eth0")
