"""Tables as a kernel would take them, for property tests."""

from __future__ import annotations

import ipaddress
import socket

from hypothesis import strategies as st

from healthd.model import (
    MAX_WEIGHT,
    SCHEDULERS,
    Destination,
    Endpoint,
    Forward,
    Protocol,
    ServiceKey,
    ServiceOptions,
    Table,
    VirtualService,
)

KERNEL_SCHEDULERS = tuple(name for name in SCHEDULERS if name != "twos")
"""`twos` came with Linux 6.2; the tests' User-Mode Linux is older."""

FAMILIES = st.sampled_from([socket.AF_INET, socket.AF_INET6])
PORTS = st.integers(1, 65535)


def addresses(family: int) -> st.SearchStrategy[str]:
    """Unicast ones: the kernel takes no other for a real server."""
    network = ipaddress.ip_network("10.0.0.0/8" if family == socket.AF_INET else "2001:db8::/32")
    last = int(network.broadcast_address) - 1
    make = ipaddress.IPv4Address if family == socket.AF_INET else ipaddress.IPv6Address
    return st.integers(int(network.network_address) + 1, last).map(lambda number: str(make(number)))


@st.composite
def service_keys(draw: st.DrawFn) -> ServiceKey:
    family = draw(FAMILIES)
    protocol = draw(st.sampled_from([*Protocol, None]))
    if protocol is None:
        return ServiceKey.marked(draw(st.integers(1, 2**32 - 1)), family)
    return ServiceKey.at(protocol, Endpoint(draw(addresses(family)), draw(PORTS)))


@st.composite
def service_options(draw: st.DrawFn, key: ServiceKey) -> ServiceOptions:
    persistent = draw(st.none() | st.integers(1, 86400))
    whole = 128 if key.family == socket.AF_INET6 else 32
    return ServiceOptions(
        scheduler=draw(st.sampled_from(KERNEL_SCHEDULERS)),
        flags=draw(st.frozensets(st.sampled_from([1, 2, 3]))),
        persistent=persistent,
        prefix=draw(st.none() | st.integers(1, whole - 1)) if persistent else None,
        one_packet=key.protocol in {Protocol.UDP, None} and draw(st.booleans()),
    )


@st.composite
def destinations(draw: st.DrawFn, service_family: int) -> tuple[Endpoint, Destination]:
    """Only a tunnel leads to a real server of the other family."""
    family = draw(FAMILIES)
    forward = Forward.IPIP if family != service_family else draw(st.sampled_from(Forward))
    upper = draw(st.just(0) | st.integers(1, 2**31))
    destination = Destination(forward, draw(st.integers(0, MAX_WEIGHT)), upper, draw(st.integers(0, upper)))
    return Endpoint(draw(addresses(family)), draw(PORTS)), destination


@st.composite
def tables(draw: st.DrawFn) -> Table:
    services = {}
    for key in draw(st.lists(service_keys(), max_size=5, unique=True)):
        servers = dict(draw(st.lists(destinations(key.family), max_size=5)))
        services[key] = VirtualService(draw(service_options(key)), servers)
    return Table(services)
