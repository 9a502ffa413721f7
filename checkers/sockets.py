"""How a checker opens a socket."""

from __future__ import annotations

import socket

from checkers.base import Code, Target
from checkers.fault import ended
from checkers.routing import take

Socket = socket.SocketType
"""The bare socket of the C module: `socket.socket` costs as much in Python as the system call does."""

_FLAGS = int(socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def open_socket(target: Target, kind: int) -> Socket:
    """A new non-blocking socket of the target's family; `Unable` if none is to be had."""
    try:
        sock = Socket(family_of(target.address), kind | _FLAGS)
    except OSError as error:
        raise ended(error, Code.SOCKERR, "opening a socket") from error
    return sock if target.route is None else take(target.route, sock, target.address)
