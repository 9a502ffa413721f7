"""What a service becomes: its key, its scheduling and its servers in the kernel's terms."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from checkers.always import Always
from healthd.config import Config
from healthd.config.values import AllDown, OnFailure, ServerConfig
from healthd.model import SCHEDULERS, Destination, Endpoint, Forward, Protocol, ServiceKey, ServiceOptions

Loads = Callable[[str], Config]


def test_a_service_is_complete_once_it_is_loaded(loads: Loads) -> None:
    """Everything a service can say arrives where the kernel side expects it."""
    (service,) = loads("""
        [service.web]
        virtual = "192.168.7.110:80"
        protocol = "sctp"
        scheduler = "mh"
        scheduler_flags = ["mh-port", "flag-3"]
        forward = "gate"
        persistent = "5m"
        persistent_netmask = "255.255.255.0"
        check = { type = "always" }
        fallback = { address = "192.168.7.99", weight = 7 }
        on_failure = "remove"

        [[service.web.server]]
        address = "192.168.7.11"
        weight = 0
        upper = 200
        lower = 100
    """).services
    assert service.name == "web"
    assert service.key == ServiceKey.at(Protocol.SCTP, Endpoint("192.168.7.110", 80))
    assert service.options == ServiceOptions("mh", frozenset({2, 3}), persistent=300, prefix=24)
    assert service.servers == (
        ServerConfig(
            endpoint=Endpoint("192.168.7.11", 80),
            destination=Destination(Forward.GATE, weight=0, upper=200, lower=100),
        ),
    )
    assert service.fallback == ServerConfig(
        endpoint=Endpoint("192.168.7.99", 80), destination=Destination(Forward.GATE, weight=7)
    )
    assert service.on_failure is OnFailure.REMOVE
    assert service.all_down is AllDown.EMPTY
    assert [check.checker for check in service.checks] == [Always()]


def test_what_nobody_says_is_built_in(loads: Loads) -> None:
    """The defaults of the kernel's side, with the servers' port that of the service."""
    (service,) = loads("""
        [service.web]
        virtual = "192.168.7.110:80"
        check = { type = "always" }
        [[service.web.server]]
        address = "192.168.7.11"
    """).services
    assert service.key.protocol is Protocol.TCP
    assert service.options == ServiceOptions()
    assert service.servers[0].destination == Destination(Forward.MASQ, weight=1)
    assert (service.on_failure, service.all_down, service.fallback) == (OnFailure.QUIESCE, AllDown.EMPTY, None)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_every_scheduler_of_the_kernel_is_known(loads: Loads, scheduler: str) -> None:
    """By the kernel's name."""
    text = f'[service.a]\nvirtual = "10.0.0.1:80"\nscheduler = "{scheduler}"\ncheck = {{ type = "always" }}'
    assert loads(text).services[0].options.scheduler == scheduler


@pytest.mark.parametrize(
    ("identity", "key"),
    [
        ('virtual = "[2001:0DB8::0:10]:80"', ServiceKey.at(Protocol.TCP, Endpoint("2001:db8::10", 80))),
        ('virtual = "10.0.0.1:53"\nprotocol = "udp"', ServiceKey.at(Protocol.UDP, Endpoint("10.0.0.1", 53))),
        ("fwmark = 4294967295", ServiceKey.marked(2**32 - 1)),
        ('fwmark = 5\nfamily = "ipv6"', ServiceKey.marked(5, socket.AF_INET6)),
        ('virtual = "10.0.0.1:0"\npersistent = "1s"', ServiceKey.at(Protocol.TCP, Endpoint("10.0.0.1", 0))),
    ],
)
def test_a_service_is_known_by_address_or_mark(loads: Loads, identity: str, key: ServiceKey) -> None:
    """Addresses are brought into their one form, so that two spellings are one service."""
    (service,) = loads(f'[service.a]\n{identity}\ncheck = {{ type = "always" }}').services
    assert service.key == key


@pytest.mark.parametrize(
    ("virtual", "mask", "prefix"),
    [
        ("10.0.0.1:80", '"255.255.255.0"', 24),
        ("10.0.0.1:80", '"128.0.0.0"', 1),
        ("10.0.0.1:80", '"255.255.255.255"', None),
        ("[2001:db8::1]:80", "64", 64),
        ("[2001:db8::1]:80", '"64"', 64),
        ("[2001:db8::1]:80", "128", None),
    ],
)
def test_a_netmask_of_whole_addresses_is_none(loads: Loads, virtual: str, mask: str, prefix: int | None) -> None:
    """The kernel has one way to say that clients are told apart by their whole address."""
    (service,) = loads(
        f'[service.a]\nvirtual = "{virtual}"\npersistent = "60s"\npersistent_netmask = {mask}\n'
        'check = { type = "always" }'
    ).services
    assert service.options.prefix == prefix


def test_a_tunnel_may_lead_to_the_other_family(loads: Loads) -> None:
    """Only forward = "ipip" can carry IPv4 packets to an IPv6 server."""
    (service,) = loads("""
        [service.a]
        virtual = "10.0.0.1:80"
        check = { type = "always" }
        [[service.a.server]]
        address = "2001:db8::11"
        forward = "ipip"
    """).services
    assert service.servers[0].endpoint == Endpoint("2001:db8::11", 80)


def test_masq_may_change_the_port_of_a_server_and_of_the_fallback(loads: Loads) -> None:
    """Network address translation rewrites ports; each server may have its own."""
    (service,) = loads("""
        [service.a]
        virtual = "10.0.0.1:80"
        check = { type = "always" }
        fallback = "10.0.0.99:8080"
        [[service.a.server]]
        address = "10.0.0.11"
        port = 8081
    """).services
    assert service.servers[0].endpoint.port == 8081
    assert service.fallback == ServerConfig(endpoint=Endpoint("10.0.0.99", 8080), destination=Destination())


def test_the_servers_of_a_mark_have_no_port_unless_given_one(loads: Loads) -> None:
    """Port 0 leaves the packets' own port alone."""
    (service,) = loads("""
        [service.a]
        fwmark = 1
        one_packet = true
        check = { type = "tcp", port = 80 }
        fallback = { address = "10.0.0.99" }
        [[service.a.server]]
        address = "10.0.0.11"
    """).services
    assert service.servers[0].endpoint == Endpoint("10.0.0.11", 0)
    assert service.fallback is not None
    assert service.fallback.endpoint == Endpoint("10.0.0.99", 0)
    assert service.options.one_packet


def test_loopback_is_no_concern_of_the_table_in_memory(loads: Loads) -> None:
    """The warning is about what the kernel does; a demonstration on loopback has none."""
    text = """
        [healthd]
        table = "{table}"
        [service.a]
        virtual = "127.0.0.1:80"
        check = {{ type = "tcp" }}
        [[service.a.server]]
        address = "127.0.0.2"
    """
    assert loads(text.format(table="memory")).warnings == ()
    assert len(loads(text.format(table="kernel")).warnings) == 1
