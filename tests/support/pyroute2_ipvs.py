"""pyroute2's codec of IPVS messages: somebody else's reading of the same kernel headers, to judge healthd's own by.

Some attributes are given other types than it gives them: the kernel means addresses as 16 plain bytes
(`union nf_inet_addr`) whatever the family, and the netmask of an IPv6 service is the prefix length as a number.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from typing import Any

from pyroute2.netlink.generic import ipvs

from healthd.model import Destination, Endpoint, Forward, ServiceKey, ServiceOptions

HEADER = 16
ALL_FLAGS = 0xFFFFFFFF
METHODS = {Forward.MASQ: 0, Forward.IPIP: 2, Forward.GATE: 3}
PLAIN = {f"IPVS_{kind}_ATTR_{name}" for kind in ("SVC", "DEST") for name in ("ADDR", "NETMASK", "STATS", "STATS64")}

Attributes = list[tuple[str, Any]]


def _retyped(nla_map: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((name, "cdata" if name in PLAIN else kind) for name, kind in nla_map)


class IpvsMessage(ipvs.ipvsmsg):  # type: ignore[misc] # pyroute2 ships no complete types, so its classes are Any
    """pyroute2 finds the nested classes by their names."""

    class service(ipvs.ipvsmsg.service):  # type: ignore[misc] # noqa: N801 - see above
        nla_map = _retyped(ipvs.ipvsmsg.service.nla_map)

    class dest(ipvs.ipvsmsg.dest):  # type: ignore[misc] # noqa: N801 - see above
        nla_map = _retyped(ipvs.ipvsmsg.dest.nla_map)


def encoded(command: int, attributes: Attributes) -> bytes:
    """A whole message, with pyroute2's own netlink header."""
    message = IpvsMessage()
    message["cmd"] = command
    message["version"] = 1
    message["attrs"] = attributes
    message.encode()
    return bytes(message.data)


def decoded(body: bytes) -> dict[str, Any]:
    """Command and attributes of a message without its netlink header."""
    message = IpvsMessage(struct.pack("=IHHII", HEADER + len(body), 20, 0, 1, 0) + body)
    message.decode()
    parts = {name: dict(value["attrs"]) for name, value in message["attrs"]}
    return {"command": message["cmd"], **parts}


def service_key(key: ServiceKey) -> Attributes:
    if key.protocol is None:
        return [("IPVS_SVC_ATTR_AF", key.family), ("IPVS_SVC_ATTR_FWMARK", key.fwmark)]
    return [
        ("IPVS_SVC_ATTR_AF", key.family),
        ("IPVS_SVC_ATTR_PROTOCOL", key.protocol.number),
        ("IPVS_SVC_ATTR_ADDR", _address(key.address)),
        ("IPVS_SVC_ATTR_PORT", key.port),
    ]


def service_options(options: ServiceOptions, family: int) -> Attributes:
    bits = [4 << number for number in options.flags]
    flags = sum(bits) | (4 if options.one_packet else 0) | (1 if options.persistent is not None else 0)
    return [
        ("IPVS_SVC_ATTR_SCHED_NAME", options.scheduler),
        ("IPVS_SVC_ATTR_FLAGS", {"flags": flags, "mask": ALL_FLAGS}),
        ("IPVS_SVC_ATTR_TIMEOUT", options.persistent or 0),
        ("IPVS_SVC_ATTR_NETMASK", _netmask(options.prefix, family)),
    ]


def destination(endpoint: Endpoint, record: Destination) -> Attributes:
    attributes: Attributes = [
        ("IPVS_DEST_ATTR_ADDR", _address(endpoint.address)),
        ("IPVS_DEST_ATTR_PORT", endpoint.port),
        ("IPVS_DEST_ATTR_ADDR_FAMILY", endpoint.family),
        ("IPVS_DEST_ATTR_FWD_METHOD", METHODS[record.forward]),
        ("IPVS_DEST_ATTR_WEIGHT", record.weight),
        ("IPVS_DEST_ATTR_U_THRESH", record.upper),
        ("IPVS_DEST_ATTR_L_THRESH", record.lower),
    ]
    tunnel: Attributes = [("IPVS_DEST_ATTR_TUN_TYPE", 0)] if record.forward is Forward.IPIP else []
    return attributes + tunnel


def _address(address: str) -> bytes:
    return ipaddress.ip_address(address).packed.ljust(16, b"\0")


def _netmask(prefix: int | None, family: int) -> bytes:
    if family == socket.AF_INET6:
        return struct.pack("=I", prefix or 128)
    return ipaddress.ip_network(f"0.0.0.0/{prefix or 32}").netmask.packed
