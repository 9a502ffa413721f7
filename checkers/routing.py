"""Puts a new socket on the way that a check asks for: `source`, `interface` and `mark`."""

from __future__ import annotations

import errno
import os
import socket
from socket import SocketType

from checkers.base import Code, Unable
from checkers.fault import ended
from checkers.route import Route, family_of

_IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h: the port is chosen when connecting, so the few there are can be shared

MARK_NOT_PERMITTED = "CAP_NET_ADMIN (since Linux 5.17 CAP_NET_RAW is enough)"
INTERFACE_NOT_PERMITTED = "CAP_NET_RAW (since Linux 5.7 none is needed)"


def take(route: Route, sock: SocketType, address: str) -> SocketType:
    """The same socket, to be connected to `address` then; it is closed if that is of no use.

    Raises:
        Unable: this machine has no such address or interface, or this process is not permitted to.

    """
    try:
        if route.mark:
            _mark(route.mark, sock)
        if route.interface:
            _leave_by(route.interface, sock)
        if route.source:
            _send_from(route.source, sock, address)
    except Unable:
        sock.close()
        raise
    return sock


def _mark(mark: int, sock: SocketType) -> None:
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, mark)
    except OSError as error:
        raise _refused(error, f"mark = {mark}", MARK_NOT_PERMITTED) from error


def _leave_by(interface: str, sock: SocketType) -> None:
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, os.fsencode(interface))
    except OSError as error:
        raise _refused(error, f'interface = "{interface}"', INTERFACE_NOT_PERMITTED) from error


def _send_from(source: str, sock: SocketType, address: str) -> None:
    doing = f'source = "{source}"'
    if family_of(source) is not family_of(address):
        raise Unable(Code.SOCKERR, f"{doing} cannot send to {address}: one is IPv4 and the other IPv6")
    try:
        if sock.type != socket.SOCK_RAW:
            sock.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
        sock.bind((source, 0))
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            raise Unable(Code.SOCKERR, f"{doing}: this machine has no such address (EADDRNOTAVAIL)") from error
        raise ended(error, Code.SOCKERR, doing) from error


def _refused(error: OSError, doing: str, capability: str) -> Unable:
    if error.errno in (errno.EPERM, errno.EACCES):
        return Unable(Code.SOCKERR, f"{doing}: not permitted: give healthd the capability {capability}")
    if error.errno == errno.ENODEV:
        return Unable(Code.SOCKERR, f"{doing}: this machine has no such interface (ENODEV)")
    return Unable(Code.SOCKERR, f"{doing}: {os.strerror(error.errno or 0)}")
