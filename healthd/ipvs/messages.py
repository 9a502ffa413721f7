"""What is said to IPVS over generic netlink, and what its answers mean. Pure: bytes in, bytes out.

pyroute2's message classes are the codec. Some attributes are given other types than it gives them: the kernel
means addresses as 16 plain bytes (`union nf_inet_addr`) whatever the family, and the netmask of an IPv6 service
is the prefix length as a number of this machine (net/netfilter/ipvs/ip_vs_ctl.c). Statistics, which a third of the
time of reading a table would go into, are left undecoded.

Every edit carries the whole record. The kernel takes what is missing from a `set` for zero, and an attribute that
nobody meant to change would be lost.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from typing import Any

from pyroute2.netlink import CTRL_CMD_GETFAMILY, GENL_ID_CTRL, ctrlmsg
from pyroute2.netlink.generic import ipvs

from healthd.edits import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Edit,
    EditDestination,
    EditService,
)
from healthd.model import Destination, Endpoint, Forward, Protocol, ServiceKey, ServiceOptions, family_of

GENL_VERSION = 1
_COMMANDS = {
    AddService: ipvs.IPVS_CMD_NEW_SERVICE,
    EditService: ipvs.IPVS_CMD_SET_SERVICE,
    DeleteService: ipvs.IPVS_CMD_DEL_SERVICE,
    AddDestination: ipvs.IPVS_CMD_NEW_DEST,
    EditDestination: ipvs.IPVS_CMD_SET_DEST,
    DeleteDestination: ipvs.IPVS_CMD_DEL_DEST,
}

# include/uapi/linux/ip_vs.h: IP_VS_SVC_F_*; bit 1 (hashed) is the kernel's own, and it keeps it whatever is sent.
_PERSISTENT = 0x1
_ONE_PACKET = 0x4
_SCHEDULER_FLAGS = {1: 0x8, 2: 0x10, 3: 0x20}
_ALL_FLAGS = 0xFFFFFFFF

# IP_VS_CONN_F_*: what a destination's forwarding method is called by number.
_METHODS = {Forward.MASQ: 0, Forward.IPIP: 2, Forward.GATE: 3}
_LOCAL_NODE = 1
_FORWARDS = {number: forward for forward, number in _METHODS.items()} | {_LOCAL_NODE: Forward.GATE}
"""Kernels before 2.6.37 read a destination on the director itself back as "local node"; it was written as gate."""

_TUNNEL_IPIP = 0
_PROTOCOLS = {protocol.number: protocol for protocol in Protocol}
_TYPES = {
    "IPVS_SVC_ATTR_ADDR": "cdata",
    "IPVS_SVC_ATTR_NETMASK": "cdata",
    "IPVS_DEST_ATTR_ADDR": "cdata",
    "IPVS_SVC_ATTR_STATS": "cdata",
    "IPVS_SVC_ATTR_STATS64": "cdata",
    "IPVS_DEST_ATTR_STATS": "cdata",
    "IPVS_DEST_ATTR_STATS64": "cdata",
}

_Attributes = list[tuple[str, Any]]


def _retyped(nla_map: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((name, _TYPES.get(name, kind)) for name, kind in nla_map)


class IpvsMessage(ipvs.ipvsmsg):  # type: ignore[misc] # pyroute2 ships no complete types, so its classes are Any
    """pyroute2's, with the types put right. It finds the nested classes by their names."""

    class service(ipvs.ipvsmsg.service):  # type: ignore[misc] # noqa: D106, N801 - see above
        nla_map = _retyped(ipvs.ipvsmsg.service.nla_map)

    class dest(ipvs.ipvsmsg.dest):  # type: ignore[misc] # noqa: D106, N801 - see above
        nla_map = _retyped(ipvs.ipvsmsg.dest.nla_map)


def find_family(name: str) -> tuple[int, bytes]:
    """The question for a generic netlink family's number: its message type, and its body."""
    message = ctrlmsg()
    message["cmd"] = CTRL_CMD_GETFAMILY
    message["version"] = GENL_VERSION
    message["attrs"] = [("CTRL_ATTR_FAMILY_NAME", name)]
    return GENL_ID_CTRL, _body(message)


def family_number(message: bytes) -> int:
    answer = ctrlmsg(message)
    answer.decode()
    number = answer.get_attr("CTRL_ATTR_FAMILY_ID")
    assert isinstance(number, int)  # noqa: S101 - the kernel's answer to GETFAMILY always has it; this is for mypy
    return number


def list_services() -> bytes:
    return _request(ipvs.IPVS_CMD_GET_SERVICE, [])


def list_destinations(key: ServiceKey) -> bytes:
    return _request(ipvs.IPVS_CMD_GET_DEST, [("IPVS_CMD_ATTR_SERVICE", {"attrs": _service_key(key)})])


def edit(wanted: Edit) -> bytes:
    service = _service_key(wanted.key)
    attributes: _Attributes = [("IPVS_CMD_ATTR_SERVICE", {"attrs": service})]
    match wanted:
        case AddService(key, options) | EditService(key, options):
            service += _service_options(options, key.family)
        case AddDestination(_, endpoint, destination) | EditDestination(_, endpoint, destination):
            record = _destination_key(endpoint) + _destination(destination)
            attributes.append(("IPVS_CMD_ATTR_DEST", {"attrs": record}))
        case DeleteDestination(_, endpoint):
            attributes.append(("IPVS_CMD_ATTR_DEST", {"attrs": _destination_key(endpoint)}))
    return _request(_COMMANDS[type(wanted)], attributes)


def service_of(message: bytes) -> tuple[ServiceKey, ServiceOptions] | None:
    """A virtual service out of a dump; None for one of a protocol that healthd has no word for, so cannot own."""
    found = _attributes(message, "IPVS_CMD_ATTR_SERVICE")
    family = found["IPVS_SVC_ATTR_AF"]
    flags = found["IPVS_SVC_ATTR_FLAGS"]["flags"]
    options = ServiceOptions(
        scheduler=found["IPVS_SVC_ATTR_SCHED_NAME"],
        flags=frozenset(number for number, bit in _SCHEDULER_FLAGS.items() if flags & bit),
        persistent=found["IPVS_SVC_ATTR_TIMEOUT"] if flags & _PERSISTENT else None,
        prefix=_prefix(found["IPVS_SVC_ATTR_NETMASK"], family),
        one_packet=bool(flags & _ONE_PACKET),
    )
    if "IPVS_SVC_ATTR_FWMARK" in found:
        return ServiceKey.marked(found["IPVS_SVC_ATTR_FWMARK"], family), options
    protocol = _PROTOCOLS.get(found["IPVS_SVC_ATTR_PROTOCOL"])
    if protocol is None:
        return None
    endpoint = Endpoint(_text(found["IPVS_SVC_ATTR_ADDR"], family), found["IPVS_SVC_ATTR_PORT"])
    return ServiceKey.at(protocol, endpoint), options


def destination_of(message: bytes, service_family: int) -> tuple[Endpoint, Destination]:
    """A real server out of a dump. Kernels before 3.18 name no family there: then it is the service's."""
    found = _attributes(message, "IPVS_CMD_ATTR_DEST")
    family = found.get("IPVS_DEST_ATTR_ADDR_FAMILY", service_family)
    destination = Destination(
        forward=_FORWARDS[found["IPVS_DEST_ATTR_FWD_METHOD"]],
        weight=found["IPVS_DEST_ATTR_WEIGHT"],
        upper=found["IPVS_DEST_ATTR_U_THRESH"],
        lower=found["IPVS_DEST_ATTR_L_THRESH"],
    )
    return Endpoint(_text(found["IPVS_DEST_ATTR_ADDR"], family), found["IPVS_DEST_ATTR_PORT"]), destination


def _request(command: int, attributes: _Attributes) -> bytes:
    message = IpvsMessage()
    message["cmd"] = command
    message["version"] = GENL_VERSION
    message["attrs"] = attributes
    return _body(message)


def _body(message: Any) -> bytes:
    """Without the netlink header, which the transport writes: it knows the sequence number."""
    message.encode()
    return bytes(message.data[16:])


def _attributes(message: bytes, name: str) -> dict[str, Any]:
    answer = IpvsMessage(message)
    answer.decode()
    return dict(answer.get_attr(name)["attrs"])


def _service_key(key: ServiceKey) -> _Attributes:
    if key.protocol is None:
        return [("IPVS_SVC_ATTR_AF", key.family), ("IPVS_SVC_ATTR_FWMARK", key.fwmark)]
    return [
        ("IPVS_SVC_ATTR_AF", key.family),
        ("IPVS_SVC_ATTR_PROTOCOL", key.protocol.number),
        ("IPVS_SVC_ATTR_ADDR", _packed(key.address)),
        ("IPVS_SVC_ATTR_PORT", key.port),
    ]


def _service_options(options: ServiceOptions, family: int) -> _Attributes:
    flags = sum(_SCHEDULER_FLAGS[number] for number in options.flags)
    flags |= _ONE_PACKET if options.one_packet else 0
    flags |= _PERSISTENT if options.persistent is not None else 0
    return [
        ("IPVS_SVC_ATTR_SCHED_NAME", options.scheduler),
        ("IPVS_SVC_ATTR_FLAGS", {"flags": flags, "mask": _ALL_FLAGS}),
        ("IPVS_SVC_ATTR_TIMEOUT", options.persistent or 0),
        ("IPVS_SVC_ATTR_NETMASK", _netmask(options.prefix, family)),
    ]


def _destination_key(endpoint: Endpoint) -> _Attributes:
    return [
        ("IPVS_DEST_ATTR_ADDR", _packed(endpoint.address)),
        ("IPVS_DEST_ATTR_PORT", endpoint.port),
        ("IPVS_DEST_ATTR_ADDR_FAMILY", endpoint.family),
    ]


def _destination(destination: Destination) -> _Attributes:
    attributes: _Attributes = [
        ("IPVS_DEST_ATTR_FWD_METHOD", _METHODS[destination.forward]),
        ("IPVS_DEST_ATTR_WEIGHT", destination.weight),
        ("IPVS_DEST_ATTR_U_THRESH", destination.upper),
        ("IPVS_DEST_ATTR_L_THRESH", destination.lower),
    ]
    if destination.forward is Forward.IPIP:
        attributes.append(("IPVS_DEST_ATTR_TUN_TYPE", _TUNNEL_IPIP))
    return attributes


def _packed(address: str) -> bytes:
    return socket.inet_pton(family_of(address), address).ljust(16, b"\0")


def _text(packed: bytes, family: int) -> str:
    """In the spelling of `ipaddress`, which is the one that healthd's model uses."""
    if family == socket.AF_INET6:
        return str(ipaddress.IPv6Address(packed))
    return str(ipaddress.IPv4Address(packed[:4]))


def _netmask(prefix: int | None, family: int) -> bytes:
    if family == socket.AF_INET6:
        return struct.pack("=I", 128 if prefix is None else prefix)
    return ipaddress.IPv4Network((0, 32 if prefix is None else prefix)).netmask.packed


def _prefix(netmask: bytes, family: int) -> int | None:
    if family == socket.AF_INET6:
        (length,) = struct.unpack("=I", netmask)
        return None if length == 128 else int(length)
    length = int.from_bytes(netmask, "big").bit_count()
    return None if length == 32 else length
