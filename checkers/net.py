r"""Cheap sockets for checkers.

    async with net.connect(target) as stream:
        await stream.start_tls(context, "www.example.com")   # optional
        await stream.send(b"PING\r\n")
        answer = await stream.receive(512)                    # b"" at the end of the stream

There is no timeout here: the caller's one deadline ends the check wherever it waits, and `Target.trace` knows where
that was. Nothing of `OSError` or `ssl.SSLError` escapes: what went wrong leaves as `Failed` or `Unable`.

Each operation first waits, by `Target.io`, and then makes one system call that does not block. A check that awaits
nothing but what is in this file may call itself `lean` (see `Checker`).
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
import struct
from types import TracebackType
from typing import Self

from checkers.base import Code, Failed, Phase, Target
from checkers.fault import ended, tls_ended
from checkers.routing import take
from checkers.tls_buffers import TlsBuffers

Socket = socket.SocketType
"""The bare socket of the C module: `socket.socket` costs as much in Python as the system call does."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # struct linger: on, 0 seconds

RECEIVE_AT_MOST = 65536

# Looking up a member of an enum costs as much as a call, and these are needed by every check.
_CONNECT, _TALK, _L7RSP = Phase.CONNECT, Phase.TALK, Code.L7RSP
_OPEN_FLAGS = int(socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
_STREAM, _DATAGRAMS = int(socket.SOCK_STREAM), int(socket.SOCK_DGRAM)


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def connect(target: Target, *, reset_on_close: bool = False) -> Stream:
    """Used as `async with`: a `Stream` to the target. `reset_on_close` leaves no TIME_WAIT behind.

    Raises:
        Failed: refused, reset, unreachable.
        Unable: this machine could not try.

    """
    return Stream(target, reset_on_close=reset_on_close)


def open_socket(target: Target, kind: int) -> Socket:
    """A new non-blocking socket of the target's family; `Unable` if none is to be had."""
    try:
        sock = Socket(family_of(target.address), kind | _OPEN_FLAGS)
    except OSError as error:
        raise ended(error, Code.SOCKERR, "opening a socket") from error
    return sock if target.route is None else take(target.route, sock, target.address)


class Stream:
    """A TCP stream, in the clear until `start_tls`."""

    __slots__ = ("_heard", "_reset_on_close", "_sock", "_target", "_watch", "tls")

    def __init__(self, target: Target, *, reset_on_close: bool) -> None:
        self._target = target
        self._reset_on_close = reset_on_close
        self.tls: TlsBuffers | None = None
        self._heard = False

    async def __aenter__(self) -> Self:
        target = self._target
        target.trace.enter(_CONNECT, f"connecting to {target.where}")
        self._sock = sock = open_socket(target, _STREAM)
        try:
            if self._reset_on_close:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            error_number = sock.connect_ex((target.address, target.port))
            self._watch = watch = target.io.watch(sock.fileno())
            if error_number == errno.EINPROGRESS:
                await watch.writable()
                error_number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if watch.broken else 0
        except OSError as error:
            self.close()
            raise ended(error, Code.L4CON, f"connecting to {target.where}") from error
        except BaseException:
            self.close()
            raise
        if error_number:
            self.close()
            raise ended(OSError(error_number, os.strerror(error_number)), Code.L4CON, f"connecting to {target.where}")
        target.trace.enter(_TALK, f"connected to {target.where}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def start_tls(self, context: ssl.SSLContext, server_name: str | None, resume: Stream | None = None) -> None:
        """TLS from here on, in the session of `resume`; `server_name` is sent, and the certificate must carry it."""
        trace = self._target.trace
        trace.enter(Phase.TLS, f"shaking hands for TLS with {self._target.where}")
        self.tls = TlsBuffers(context, server_name, resume.tls if resume else None)
        doing = "TLS handshake"
        try:
            while not self.tls.handshake():
                await self._flush_tls(doing)
                if not self.tls.feed(await self._receive_plain(RECEIVE_AT_MOST, Code.L6RSP, doing)):
                    raise Failed(Code.L6RSP, f"{doing}: connection closed by the server")
            await self._flush_tls(doing)
        except ssl.SSLError as error:
            raise tls_ended(error, doing) from error
        trace.enter(_TALK, self.tls.described())

    async def send(self, data: bytes) -> None:
        if self.tls is None:
            await self._send_plain(data, _L7RSP, "sending the request")
        else:
            self.tls.write(data)
            await self._flush_tls("sending the request")

    async def receive(self, limit: int) -> bytes:
        """Between 1 and `limit` bytes as they come, or none at the end of the stream."""
        doing = "waiting for the answer"
        if self.tls is None:
            data = await self._receive_plain(limit, _L7RSP, doing)
        else:
            data = await self._receive_tls(self.tls, limit, doing)
        if not self._heard:
            self._heard = True
            self._target.trace.note("first byte of the answer" if data else "end of the stream, without an answer")
        return data

    async def _receive_tls(self, tls: TlsBuffers, limit: int, doing: str) -> bytes:
        try:
            while (data := tls.read(limit)) is None:
                await self._flush_tls(doing)
                tls.feed(await self._receive_plain(RECEIVE_AT_MOST, _L7RSP, doing))
        except ssl.SSLError as error:
            raise tls_ended(error, doing) from error
        return data

    def local(self) -> tuple[str, int]:
        """Address and port of this end."""
        address: tuple[str, int] = self._sock.getsockname()[:2]
        return address

    def close(self) -> None:
        self._sock.close()

    async def _send_plain(self, data: bytes, code: Code, doing: str) -> None:
        try:
            while True:
                try:
                    sent = self._sock.send(data)
                except BlockingIOError:
                    sent = 0
                if sent == len(data):
                    return
                data = data[sent:]
                await self._watch.writable()
        except OSError as error:
            raise ended(error, code, doing) from error

    async def _receive_plain(self, limit: int, code: Code, doing: str) -> bytes:
        try:
            while True:
                await self._watch.readable()
                try:
                    data = self._sock.recv(limit)
                except BlockingIOError:
                    self._watch.drained()
                    continue
                if len(data) < limit:
                    self._watch.drained()
                return data
        except OSError as error:
            raise ended(error, code, doing) from error

    async def _flush_tls(self, doing: str) -> None:
        if self.tls is not None and (data := self.tls.outgoing()):
            await self._send_plain(data, Code.L6RSP, doing)


class Datagrams:
    """A connected UDP socket: only the target's answers arrive, and an ICMP error is seen as one."""

    __slots__ = ("_heard", "_sock", "_target", "_watch")

    def __init__(self, target: Target) -> None:
        self._target = target
        self._heard = False

    async def __aenter__(self) -> Self:
        target = self._target
        target.trace.enter(_CONNECT, f"opening a UDP socket to {target.where}")
        self._sock = open_socket(target, _DATAGRAMS)
        try:
            self._sock.connect((target.address, target.port))
            self._watch = target.io.watch(self._sock.fileno())
        except OSError as error:
            self._sock.close()
            raise ended(error, Code.L4CON, f"sending to {target.where}") from error
        target.trace.enter(_TALK, f"waiting for an answer from {target.where}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sock.close()

    async def send(self, data: bytes) -> None:
        try:
            while True:
                try:
                    self._sock.send(data)
                except BlockingIOError:
                    await self._watch.writable()
                else:
                    return
        except OSError as error:
            raise ended(error, Code.L4CON, f"sending to {self._target.where}") from error

    async def receive(self, limit: int) -> bytes:
        """The next datagram, cut at `limit` bytes."""
        try:
            while True:
                await self._watch.readable()
                try:
                    datagram = self._sock.recv(limit)
                    break
                except BlockingIOError:
                    self._watch.drained()
        except OSError as error:
            raise ended(error, Code.L4CON, f"waiting for an answer from {self._target.where}") from error
        if not self._heard:
            self._heard = True
            self._target.trace.note("first datagram has come")
        return datagram
