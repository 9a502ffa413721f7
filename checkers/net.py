r"""Cheap sockets for checkers, and the one table from operating-system errors to outcomes.

    async with net.connect(target) as stream:
        await stream.start_tls(context, "www.example.com")   # optional
        await stream.send(b"PING\r\n")
        answer = await stream.receive(512)                    # b"" at the end of the stream

There is no timeout here: the caller's one deadline cancels the check wherever it waits, and `Target.trace` knows where
that was. Nothing of `OSError` or `ssl.SSLError` escapes: what went wrong leaves as `Failed` or `Unable`.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import struct
from types import TracebackType
from typing import Self

from checkers.base import CheckEnded, Code, Failed, Outcome, Phase, Target, Trace, Unable
from checkers.tls_buffers import TlsBuffers

OUR_FAULT = frozenset(
    {
        errno.EMFILE,  # this process is out of descriptors
        errno.ENFILE,  # this machine is
        errno.ENOMEM,
        errno.ENOBUFS,
        errno.ENETUNREACH,  # this machine has no route: it would say so of a healthy server too
        errno.ENETDOWN,
        errno.ENODEV,
        errno.EADDRNOTAVAIL,  # no local port or address left
        errno.EADDRINUSE,
        errno.EAFNOSUPPORT,  # IPv6 switched off here
        errno.EACCES,  # a local rule forbids it
        errno.EPERM,  # likewise: a local packet filter answers this
        errno.EINVAL,
    }
)
"""Errors that say nothing about the server. EHOSTUNREACH is not among them: after a failed ARP or neighbour
discovery it is the server that is not there."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # struct linger: on, 0 seconds

RECEIVE_AT_MOST = 65536


def ended(error: OSError, code: str, doing: str) -> CheckEnded:
    """The outcome of an operating-system error met while `doing`; `code` is the server's, should it be at fault."""
    number = error.errno or 0
    reason = os.strerror(number) if number else str(error) or type(error).__name__
    name = f" ({errno.errorcode[number]})" if number in errno.errorcode else ""
    detail = f"{doing}: {reason}{name}"
    if number in OUR_FAULT:
        return Unable(Code.SOCKERR, detail)
    if number == errno.ETIMEDOUT and code == Code.L4CON:
        return Failed(Code.L4TOUT, detail)
    return Failed(code, detail)


def tls_ended(error: ssl.SSLError, doing: str) -> CheckEnded:
    """The outcome of a failed handshake or a broken TLS record."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Failed(Code.L6RSP, f"{doing}: certificate not accepted: {error.verify_message}")
    return Failed(Code.L6RSP, f"{doing}: {error.reason or error.strerror or type(error).__name__}")


def deadline_outcome(trace: Trace, seconds: float) -> Outcome:
    """The outcome of a check that was cut off at its deadline of `seconds`."""
    doing = f" while {trace.text}" if trace.text else ""
    return Failed(trace.phase.value, f"no result within {seconds:g} s{doing}").outcome


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def connect(target: Target, *, reset_on_close: bool = False) -> _Connecting:
    """Used as `async with`: a `Stream` to the target. `reset_on_close` leaves no TIME_WAIT behind.

    Raises:
        Failed: refused, reset, unreachable.
        Unable: this machine could not try.

    """
    return _Connecting(target, reset_on_close=reset_on_close)


class _Connecting:
    def __init__(self, target: Target, *, reset_on_close: bool) -> None:
        self._target = target
        self._reset_on_close = reset_on_close
        self._stream: Stream | None = None

    async def __aenter__(self) -> Stream:
        target = self._target
        target.trace.enter(Phase.CONNECT, f"connecting to {target.where}")
        sock = open_socket(target, socket.SOCK_STREAM)
        try:
            if self._reset_on_close:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            await asyncio.get_running_loop().sock_connect(sock, (target.address, target.port))
        except OSError as error:
            sock.close()
            raise ended(error, Code.L4CON, f"connecting to {target.where}") from error
        except BaseException:
            sock.close()
            raise
        target.trace.enter(Phase.TALK, f"connected to {target.where}")
        self._stream = Stream(sock, target)
        return self._stream

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.close()


def open_socket(target: Target, kind: socket.SocketKind) -> socket.socket:
    """A new non-blocking socket of the target's family.

    Raises:
        Unable: no socket is to be had.

    """
    try:
        sock = socket.socket(family_of(target.address), kind | socket.SOCK_NONBLOCK)
    except OSError as error:
        raise ended(error, Code.SOCKERR, "opening a socket") from error
    return sock


class Stream:
    """A connected TCP stream, in the clear until `start_tls`."""

    def __init__(self, sock: socket.socket, target: Target) -> None:
        self._sock = sock
        self._target = target
        self._loop = asyncio.get_running_loop()
        self._tls: TlsBuffers | None = None
        self._heard = False

    async def start_tls(self, context: ssl.SSLContext, server_name: str | None) -> None:
        """TLS from here on; `server_name` is sent as SNI and is the name that the certificate is held against."""
        trace = self._target.trace
        trace.enter(Phase.TLS, f"shaking hands for TLS with {self._target.where}")
        self._tls = TlsBuffers(context, server_name)
        doing = "TLS handshake"
        try:
            while not self._tls.handshake():
                await self._flush_tls(doing)
                if not self._tls.feed(await self._receive_plain(RECEIVE_AT_MOST, Code.L6RSP, doing)):
                    raise Failed(Code.L6RSP, f"{doing}: connection closed by the server")
            await self._flush_tls(doing)
        except ssl.SSLError as error:
            raise tls_ended(error, doing) from error
        trace.enter(Phase.TALK, self._tls.described())

    async def send(self, data: bytes) -> None:
        if self._tls is None:
            await self._send_plain(data, Code.L7RSP, "sending the request")
        else:
            self._tls.write(data)
            await self._flush_tls("sending the request")

    async def receive(self, limit: int) -> bytes:
        """Between 1 and `limit` bytes as they come, or none at the end of the stream."""
        doing = "waiting for the answer"
        if self._tls is None:
            data = await self._receive_plain(limit, Code.L7RSP, doing)
        else:
            data = await self._receive_tls(self._tls, limit, doing)
        if not self._heard:
            self._heard = True
            self._target.trace.note("first byte of the answer" if data else "end of the stream, without an answer")
        return data

    async def _receive_tls(self, tls: TlsBuffers, limit: int, doing: str) -> bytes:
        try:
            while (data := tls.read(limit)) is None:
                await self._flush_tls(doing)
                tls.feed(await self._receive_plain(RECEIVE_AT_MOST, Code.L7RSP, doing))
        except ssl.SSLError as error:
            raise tls_ended(error, doing) from error
        return data

    def close(self) -> None:
        self._sock.close()

    async def _send_plain(self, data: bytes, code: Code, doing: str) -> None:
        try:
            await self._loop.sock_sendall(self._sock, data)
        except OSError as error:
            raise ended(error, code, doing) from error

    async def _receive_plain(self, limit: int, code: Code, doing: str) -> bytes:
        try:
            return await self._loop.sock_recv(self._sock, limit)
        except OSError as error:
            raise ended(error, code, doing) from error

    async def _flush_tls(self, doing: str) -> None:
        if self._tls is not None and (data := self._tls.outgoing()):
            await self._send_plain(data, Code.L6RSP, doing)


class Datagrams:
    """A connected UDP socket: only the target's answers arrive, and an ICMP error is seen as one."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._loop = asyncio.get_running_loop()
        self._heard = False
        target.trace.enter(Phase.CONNECT, f"opening a UDP socket to {target.where}")
        self._sock = open_socket(target, socket.SOCK_DGRAM)
        try:
            self._sock.connect((target.address, target.port))
        except OSError as error:
            self._sock.close()
            raise ended(error, Code.L4CON, f"sending to {target.where}") from error
        target.trace.enter(Phase.TALK, f"waiting for an answer from {target.where}")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sock.close()

    async def send(self, data: bytes) -> None:
        try:
            await self._loop.sock_sendall(self._sock, data)
        except OSError as error:
            raise ended(error, Code.L4CON, f"sending to {self._target.where}") from error

    async def receive(self, limit: int) -> bytes:
        """The next datagram, cut at `limit` bytes."""
        try:
            datagram = await self._loop.sock_recv(self._sock, limit)
        except OSError as error:
            raise ended(error, Code.L4CON, f"waiting for an answer from {self._target.where}") from error
        if not self._heard:
            self._heard = True
            self._target.trace.note("first datagram has come")
        return datagram
