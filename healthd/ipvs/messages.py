"""What is said to IPVS over generic netlink, and what its answers mean. Pure: bytes in, bytes out.

Numbers and types are those of include/uapi/linux/ip_vs.h and net/netfilter/ipvs/ip_vs_ctl.c (ip_vs_cmd_policy and its
neighbours). An attribute is its length, its number and its value, padded to four bytes (netlink(7)). Integers are this
machine's own, ports excepted; an address is 16 bytes whatever its family (`union nf_inet_addr`); the netmask of an
IPv6 service is the prefix length as a number. Statistics are left undecoded.

Every edit carries the whole record. The kernel takes what is missing from a `set` for zero, and an attribute that
nobody meant to change would be lost.
"""

from __future__ import annotations

import ipaddress
import socket
import struct

from healthd.edits import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Edit,
    EditDestination,
    EditService,
)
from healthd.model import Connections, Destination, Endpoint, Forward, Protocol, ServiceKey, ServiceOptions, family_of

# include/uapi/linux/netlink.h and genetlink.h
_CONTROLLER = 0x10  # GENL_ID_CTRL
_GET_FAMILY = 3
_FAMILY_ID, _FAMILY_NAME = 1, 2
_VERSION = 1
_KIND = 0x3FFF  # NLA_TYPE_MASK: the two bits above say how the value is written
_BODY = 20  # where the attributes of a message begin: struct nlmsghdr, struct genlmsghdr

# IPVS_CMD_*
_GET_SERVICE, _GET_DESTINATION = 4, 8
_COMMANDS = {
    AddService: 1,
    EditService: 2,
    DeleteService: 3,
    AddDestination: 5,
    EditDestination: 6,
    DeleteDestination: 7,
}

# IPVS_CMD_ATTR_*, IPVS_SVC_ATTR_*, IPVS_DEST_ATTR_*
_SERVICE, _DESTINATION = 1, 2
_FAMILY, _PROTOCOL, _ADDRESS, _PORT, _FWMARK, _SCHEDULER, _FLAGS, _TIMEOUT, _NETMASK = range(1, 10)
_SERVER_ADDRESS, _SERVER_PORT, _METHOD, _WEIGHT, _UPPER, _LOWER = range(1, 7)
_ACTIVE, _INACTIVE, _PERSISTING = range(7, 10)
_SERVER_FAMILY, _TUNNEL = 11, 13

# IP_VS_SVC_F_*; bit 1 (hashed) is the kernel's own, and it keeps it whatever is sent.
_PERSISTENT = 0x1
_ONE_PACKET = 0x4
_SCHEDULER_FLAGS = {1: 0x8, 2: 0x10, 3: 0x20}
_ALL_FLAGS = 0xFFFFFFFF

# IP_VS_CONN_F_*: what a destination's forwarding method is called by number.
_METHODS = {Forward.MASQ: 0, Forward.IPIP: 2, Forward.GATE: 3}
_LOCAL_NODE = 1
_FORWARDS = {number: forward for forward, number in _METHODS.items()} | {_LOCAL_NODE: Forward.GATE}
"""Kernels before 2.6.37 read a destination on the director itself back as "local node"; it was written as gate."""

_NUMBERS = {protocol: protocol.number for protocol in Protocol}
_PROTOCOLS = {number: protocol for protocol, number in _NUMBERS.items()}

_HEADER = struct.Struct("=HH")  # struct nlattr: length with this header, number
_COMMAND = struct.Struct("=BBxx")  # struct genlmsghdr
_U16, _U32, _PORT_NUMBER = struct.Struct("=H"), struct.Struct("=I"), struct.Struct("!H")

# What every edit of a server carries is packed at one go: header and value of each attribute, with its padding.
_SERVICE_KEY = struct.Struct("=HHH2x HHH2x HH16s HH2s2x")  # family, protocol, address, port
_DESTINATION_KEY = struct.Struct("=HH16s HH2s2x HHH2x")  # address, port, family
_DESTINATION_RECORD = struct.Struct("=HHI HHI HHI HHI")  # forwarding method, weight, thresholds
_TUNNEL_IPIP = struct.pack("=HHB3x", 5, _TUNNEL, 0)  # IP_VS_CONN_F_TUNNEL_TYPE_IPIP


def find_family(name: str) -> tuple[int, bytes]:
    """The question for a generic netlink family's number: its message type, and its body."""
    return _CONTROLLER, _request(_GET_FAMILY, _attribute(_FAMILY_NAME, name.encode() + b"\0"))


def family_number(message: bytes) -> int:
    return _number(_U16, message, _places(message, _BODY)[_FAMILY_ID])


def list_services() -> bytes:
    return _request(_GET_SERVICE, b"")


def list_destinations(key: ServiceKey) -> bytes:
    return _request(_GET_DESTINATION, _attribute(_SERVICE, _service_key(key)))


def edit(wanted: Edit) -> bytes:
    service, destination = _service_key(wanted.key), b""
    match wanted:
        case AddService(key, options) | EditService(key, options):
            service += _service_options(options, key.family)
        case AddDestination(_, endpoint, record) | EditDestination(_, endpoint, record):
            destination = _attribute(_DESTINATION, _destination_key(endpoint) + _destination(record))
        case DeleteDestination(_, endpoint):
            destination = _attribute(_DESTINATION, _destination_key(endpoint))
    return _request(_COMMANDS[type(wanted)], _attribute(_SERVICE, service) + destination)


def service_of(message: bytes) -> tuple[ServiceKey, ServiceOptions] | None:
    """A virtual service out of a listing; None for one of a protocol that healthd has no word for, so cannot own."""
    at = _places(message, _places(message, _BODY)[_SERVICE])
    family = _number(_U16, message, at[_FAMILY])
    flags = _number(_U32, message, at[_FLAGS])
    options = ServiceOptions(
        scheduler=message[at[_SCHEDULER] : message.index(b"\0", at[_SCHEDULER])].decode(),
        flags=frozenset(number for number, bit in _SCHEDULER_FLAGS.items() if flags & bit),
        persistent=_number(_U32, message, at[_TIMEOUT]) if flags & _PERSISTENT else None,
        prefix=_prefix(message[at[_NETMASK] : at[_NETMASK] + 4], family),
        one_packet=bool(flags & _ONE_PACKET),
    )
    if _FWMARK in at:
        return ServiceKey.marked(_number(_U32, message, at[_FWMARK]), family), options
    protocol = _PROTOCOLS.get(_number(_U16, message, at[_PROTOCOL]))
    if protocol is None:
        return None
    return ServiceKey.at(protocol, _endpoint(message, at[_ADDRESS], at[_PORT], family)), options


def destination_of(message: bytes, service_family: int) -> tuple[Endpoint, Destination]:
    """A real server out of a listing. Kernels before 3.18 name no family there: then it is the service's."""
    at = _places(message, _places(message, _BODY)[_DESTINATION])
    destination = Destination(
        _FORWARDS[_number(_U32, message, at[_METHOD])],
        _number(_U32, message, at[_WEIGHT]),
        _number(_U32, message, at[_UPPER]),
        _number(_U32, message, at[_LOWER]),
    )
    return _server(message, at, service_family), destination


def connections_of(message: bytes, service_family: int) -> tuple[Endpoint, Connections]:
    """What the same listing counts of a real server."""
    at = _places(message, _places(message, _BODY)[_DESTINATION])
    counts = (_number(_U32, message, at[number]) for number in (_ACTIVE, _INACTIVE, _PERSISTING))
    return _server(message, at, service_family), Connections(*counts)


def _server(message: bytes, at: dict[int, int], service_family: int) -> Endpoint:
    family = _number(_U16, message, at[_SERVER_FAMILY]) if _SERVER_FAMILY in at else service_family
    return _endpoint(message, at[_SERVER_ADDRESS], at[_SERVER_PORT], family)


def _request(command: int, attributes: bytes) -> bytes:
    """Without the netlink header, which the transport writes: it knows the sequence number."""
    return _COMMAND.pack(command, _VERSION) + attributes


def _attribute(number: int, value: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(value), number) + value + bytes(-len(value) % 4)


def _places(message: bytes, at: int) -> dict[int, int]:
    """Where the value of each attribute from `at` on begins, by number."""
    places = {}
    end = len(message) - _HEADER.size
    while at <= end:
        length, number = _HEADER.unpack_from(message, at)
        places[number & _KIND] = at + _HEADER.size
        at += (length + 3 & ~3) or _HEADER.size
    return places


def _number(form: struct.Struct, message: bytes, at: int) -> int:
    number: int = form.unpack_from(message, at)[0]
    return number


def _endpoint(message: bytes, address: int, port: int, family: int) -> Endpoint:
    return Endpoint(_text(message[address : address + 16], family), _number(_PORT_NUMBER, message, port))


def _service_key(key: ServiceKey) -> bytes:
    if key.protocol is None:
        return _attribute(_FAMILY, _U16.pack(key.family)) + _attribute(_FWMARK, _U32.pack(key.fwmark))
    protocol, port = _NUMBERS[key.protocol], _PORT_NUMBER.pack(key.port)
    return _SERVICE_KEY.pack(
        6, _FAMILY, key.family, 6, _PROTOCOL, protocol, 20, _ADDRESS, _packed(key.address), 6, _PORT, port
    )


def _service_options(options: ServiceOptions, family: int) -> bytes:
    flags = sum(_SCHEDULER_FLAGS[number] for number in options.flags)
    flags |= _ONE_PACKET if options.one_packet else 0
    flags |= _PERSISTENT if options.persistent is not None else 0
    return (
        _attribute(_SCHEDULER, options.scheduler.encode() + b"\0")
        + _attribute(
            _FLAGS, _U32.pack(flags) + _U32.pack(_ALL_FLAGS)
        )  # struct ip_vs_flags: values, and which of them count
        + _attribute(_TIMEOUT, _U32.pack(options.persistent or 0))
        + _attribute(_NETMASK, _netmask(options.prefix, family))
    )


def _destination_key(endpoint: Endpoint) -> bytes:
    address, port = _packed(endpoint.address), _PORT_NUMBER.pack(endpoint.port)
    return _DESTINATION_KEY.pack(
        20, _SERVER_ADDRESS, address, 6, _SERVER_PORT, port, 6, _SERVER_FAMILY, endpoint.family
    )


def _destination(to: Destination) -> bytes:
    method = _METHODS[to.forward]
    record = _DESTINATION_RECORD.pack(
        8, _METHOD, method, 8, _WEIGHT, to.weight, 8, _UPPER, to.upper, 8, _LOWER, to.lower
    )
    return record + _TUNNEL_IPIP if to.forward is Forward.IPIP else record


def _packed(address: str) -> bytes:
    """4 or 16 bytes; a field of 16 is filled up with zeros."""
    return socket.inet_pton(family_of(address), address)


def _text(packed: bytes, family: int) -> str:
    """In the spelling of `ipaddress`, which is the one that healthd's model uses.

    The C library's is the same but for IPv6 addresses that it writes with an IPv4 one in them.
    """
    if family == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, packed[:4])
    text = socket.inet_ntop(socket.AF_INET6, packed)
    return str(ipaddress.IPv6Address(packed)) if "." in text else text


def _netmask(prefix: int | None, family: int) -> bytes:
    if family == socket.AF_INET6:
        return _U32.pack(128 if prefix is None else prefix)
    return ipaddress.IPv4Network((0, 32 if prefix is None else prefix)).netmask.packed


def _prefix(netmask: bytes, family: int) -> int | None:
    if family == socket.AF_INET6:
        length = _number(_U32, netmask, 0)
        return None if length == 128 else length
    length = int.from_bytes(netmask, "big").bit_count()
    return None if length == 32 else length
