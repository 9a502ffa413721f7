"""ICMP echoes: the sockets that they go through, and the packets (RFC 792, RFC 4443)."""

from __future__ import annotations

import errno
import socket
import struct
from dataclasses import dataclass

from checkers.base import Code, Unable
from checkers.sockets import Socket
from checkers.waiting import Watch

_HEADER = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence number (RFC 792, RFC 4443 section 4)
HEADERS_AT_MOST = 60 + _HEADER.size  # an IPv4 header with all its options stands before it on a raw socket

# linux/in.h, linux/in6.h, linux/icmp.h, linux/icmpv6.h: not in the socket module.
_IP_RECVERR, _IPV6_RECVERR = 11, 25
_SOL_RAW, _ICMP_FILTER, _ICMPV6_FILTER = 255, 1, 1

# Looking up a member of an enum costs as much as a call.
_DATAGRAMS = int(socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
_RAW, _RAW_NONBLOCK = int(socket.SOCK_RAW), int(socket.SOCK_RAW | socket.SOCK_NONBLOCK)

NOT_PERMITTED = (
    "not permitted to send an ICMP echo: let healthd's group use ping sockets (sysctl -w "
    'net.ipv4.ping_group_range="0 2147483647") or give healthd the capability CAP_NET_RAW'
)


@dataclass(frozen=True, slots=True)
class Family:
    """What differs between ICMP (RFC 792) and ICMPv6 (RFC 4443)."""

    family: socket.AddressFamily
    protocol: int
    request: int
    reply: int


V4 = Family(socket.AF_INET, socket.IPPROTO_ICMP, 8, 0)
V6 = Family(socket.AF_INET6, socket.IPPROTO_ICMPV6, 128, 129)


def open_socket(kind: Family) -> Socket:
    """A ping socket, or a raw one where this process may not have that.

    Raises:
        Unable: neither is permitted.
        OSError: no socket is to be had at all.

    """
    try:
        return ping_socket(kind)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM):
            raise
    try:
        return raw_socket(kind)
    except PermissionError as error:
        raise Unable(Code.SOCKERR, NOT_PERMITTED) from error


def ping_socket(kind: Family) -> Socket:
    """Unprivileged: the kernel fills in identifier and checksum, and delivers only replies (icmp(7)).

    Raises:
        PermissionError: the group of this process is outside net.ipv4.ping_group_range, which governs IPv6 too.

    """
    return Socket(kind.family, _DATAGRAMS, kind.protocol)


def raw_socket(kind: Family) -> Socket:
    """Gets every ICMP packet from the target that its filter lets through.

    Raises:
        PermissionError: without CAP_NET_RAW.

    """
    return Socket(kind.family, _RAW_NONBLOCK, kind.protocol)


def is_raw(sock: Socket) -> bool:
    return sock.type == _RAW


def prepare(sock: Socket, kind: Family) -> None:
    """Has ICMP errors reported, and lets nothing but echo replies into a raw socket."""
    # Without RECVERR the kernel keeps "host unreachable" to itself: it takes it for passing.
    # In a filter a set bit blocks a type.
    if kind is V4:
        sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
    if not is_raw(sock):
        return
    if kind is V4:
        sock.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", 0xFFFFFFFF ^ 1 << kind.reply))
    else:
        words = [0xFFFFFFFF] * 8
        words[kind.reply // 32] ^= 1 << kind.reply % 32
        sock.setsockopt(socket.IPPROTO_ICMPV6, _ICMPV6_FILTER, struct.pack("=8I", *words))


async def send(sock: Socket, watch: Watch, packet: bytes) -> None:
    while True:
        try:
            sock.send(packet)
        except BlockingIOError:
            await watch.writable()
        else:
            return


async def receive(sock: Socket, watch: Watch, limit: int) -> bytes:
    """The next packet, or none where a router only reported that it knows a shorter way: the request went on.

    Raises:
        OSError: an ICMP error came.

    """
    try:
        while True:
            await watch.readable()
            try:
                return sock.recv(limit)
            except BlockingIOError:
                watch.drained()
    except OSError as error:
        if error.errno != errno.EREMOTEIO:  # what Linux makes of a redirect on a ping socket
            raise
    sock.recvmsg(0, 0, socket.MSG_ERRQUEUE)  # while it is queued, the socket never sleeps
    return b""


def request(kind: Family, identifier: int, sequence: int, payload: bytes, *, raw: bool) -> bytes:
    """An echo request. Its checksum counts on a raw IPv4 socket only; everywhere else the kernel puts in its own."""
    blank = _HEADER.pack(kind.request, 0, 0, identifier, sequence) + payload
    if not raw:
        return blank
    return blank[:2] + struct.pack("!H", checksum(blank)) + blank[4:]


def sequence_of(packet: bytes, kind: Family, identifier: int, payload: bytes, *, raw: bool) -> int | None:
    """The sequence number of a reply to us, None of anything else. On a ping socket the kernel minds the identifier."""
    if raw and kind is V4 and packet:
        packet = packet[(packet[0] & 0x0F) * 4 :]  # the length of the IPv4 header, in words
    if len(packet) < _HEADER.size:
        return None
    found, code, _, found_identifier, sequence = _HEADER.unpack_from(packet)
    ours = not raw or found_identifier == identifier
    return int(sequence) if ours and (found, code, packet[_HEADER.size :]) == (kind.reply, 0, payload) else None


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    even = data + bytes(len(data) % 2)
    total: int = sum(word for (word,) in struct.iter_unpack("!H", even))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
