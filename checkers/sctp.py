from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
from dataclasses import dataclass
from typing import ClassVar

from checkers.base import Checker, Code, Outcome, Phase, Target, Unable, passed
from checkers.fault import ended
from checkers.routing import take
from checkers.sockets import Socket, family_of

_ONE_TO_ONE = int(socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)  # RFC 6458, section 4
_ABORT_ON_CLOSE = struct.pack("ii", 1, 0)  # struct linger: on, 0 seconds
_NO_SCTP = (errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT)


@dataclass(frozen=True, kw_only=True)
class Sctp(Checker):
    """Passes when an SCTP association is established. It is aborted at once."""

    lean: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    async def check(self, target: Target) -> Outcome:
        doing = f"connecting to {target.where} by SCTP"
        target.trace.enter(Phase.CONNECT, doing)
        with contextlib.closing(_open_socket(target)) as sock:
            try:
                await _connect(sock, target)
            except OSError as error:
                raise ended(error, Code.L4CON, doing) from error
        return passed(Code.L4OK, f"connected to {target.where} by SCTP")


async def _connect(sock: Socket, target: Target) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT_ON_CLOSE)
    error = sock.connect_ex((target.address, target.port))
    watch = target.io.watch(sock.fileno())
    if error == errno.EINPROGRESS:
        await watch.writable()
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise OSError(error, os.strerror(error))


def _open_socket(target: Target) -> Socket:
    try:
        sock = Socket(family_of(target.address), _ONE_TO_ONE, socket.IPPROTO_SCTP)
    except OSError as error:
        if error.errno in _NO_SCTP:
            text = "this kernel has no SCTP: load the module sctp (modprobe sctp), which some kernels do not have"
            raise Unable(Code.SOCKERR, text) from error
        raise ended(error, Code.SOCKERR, "opening an SCTP socket") from error
    return sock if target.route is None else take(target.route, sock, target.address)
