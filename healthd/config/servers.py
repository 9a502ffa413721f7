"""The real servers of a service and its fallback, and whether the kernel can send them what it is to send."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from healthd.config.findings import Findings
from healthd.config.layers import Layers
from healthd.config.models import FallbackTable, ServerTable
from healthd.config.values import ServerConfig
from healthd.model import Destination, Endpoint, Forward, ServiceKey

_FAMILY: dict[int, str] = {socket.AF_INET: "IPv4", socket.AF_INET6: "IPv6"}


def servers(layers: Layers, key: ServiceKey, findings: Findings) -> tuple[ServerConfig, ...]:
    """The real servers in the order in which they are written."""
    own = layers.own
    seen: dict[Endpoint, int] = {}
    found = []
    for index, table in enumerate(layers.values.get("server", ())):
        address = table.get("address")
        if address is None:
            if own.sound("server", index, "address"):
                findings.error(own.section.at(("server", index)), 'missing key "address"')
            continue
        server = _server(table, address, key, layers.values["forward"])
        # Where the forwarding method is itself wrong, nothing follows from the one taken in its stead.
        if layers.sound("forward") and own.sound("server", index, "forward"):
            for field, text in _misfits(server, key):
                if own.sound("server", index, field):
                    findings.error(own.section.at(("server", index, field)), text)
        first = seen.setdefault(server.endpoint, index)
        if first != index:
            at, before = own.section.at(("server", index)), own.section.at(("server", first))
            findings.error(at, f"{server.endpoint} is already a server of this service, at ", before)
        found.append(server)
    if not found and own.sound("server"):
        findings.warn(own.section.place, "has no server: it is never available")
    return tuple(found)


def _server(table: ServerTable, address: str, key: ServiceKey, forward: Forward) -> ServerConfig:
    destination = Destination(
        table.get("forward", forward), table.get("weight", 1), table.get("upper", 0), table.get("lower", 0)
    )
    return ServerConfig(endpoint=Endpoint(address, table.get("port", key.port)), destination=destination)


def fallback(
    layers: Layers, key: ServiceKey, real: tuple[ServerConfig, ...], findings: Findings
) -> ServerConfig | None:
    """The server that steps in when no real one is available."""
    table = layers.values.get("fallback")
    if table is None or not layers.sound("fallback"):
        return None
    if "address" not in table:
        layers.complain(findings, "fallback", 'missing key "address"')
        return None
    server = _fallback(table, table["address"], key, layers.values["forward"])
    for _, text in _misfits(server, key):
        if layers.sound("forward"):
            layers.complain(findings, "fallback", text)
    if any(server.endpoint == other.endpoint for other in real):
        layers.complain(findings, "fallback", f"{server.endpoint} is also a real server of the service; name another")
    return server


def _fallback(table: FallbackTable, address: str, key: ServiceKey, forward: Forward) -> ServerConfig:
    destination = Destination(table.get("forward", forward), table.get("weight", 1))
    return ServerConfig(endpoint=Endpoint(address, table.get("port", key.port)), destination=destination)


def _misfits(server: ServerConfig, key: ServiceKey) -> Iterator[tuple[str, str]]:
    """What the kernel would refuse or could not carry out: the key at fault and the sentence."""
    endpoint, destination = server.endpoint, server.destination
    forward = destination.forward
    if endpoint.family != key.family and forward is not Forward.IPIP:
        ours, theirs = _FAMILY[key.family], _FAMILY[endpoint.family]
        yield (
            "address",
            f'{endpoint.address} is {theirs}, the service is {ours}: only forward = "ipip" can join the two',
        )
    if key.port and endpoint.port != key.port:
        if not endpoint.port:
            yield "port", f"must be from 1 to 65535, not 0: the virtual port is {key.port}"
        elif forward is not Forward.MASQ:
            reason = f'forward = "{forward}" cannot change the port'
            yield "port", f"{reason}: it must be the virtual one, {key.port}, not {endpoint.port}"
    if destination.lower > destination.upper:
        limit = f"upper, {destination.upper}" if destination.upper else "upper, which is not set"
        yield "lower", f"must not be above {limit}; it is {destination.lower}"


def unreachable(server: ServerConfig) -> bool:
    """Whether the kernel would drop the packets: it does not translate traffic from the network to loopback."""
    address = server.endpoint.address
    return (address.startswith("127.") or address == "::1") and server.destination.forward is Forward.MASQ
