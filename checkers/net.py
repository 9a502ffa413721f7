r"""Cheap sockets for checkers.

    async with net.connect(target) as stream:
        await stream.start_tls(context, "www.example.com")   # optional
        await stream.send(b"PING\r\n")
        answer = await stream.receive(512)                    # b"" at the end of the stream

`Datagrams` are the same for UDP. What is sent leaves at once, however small, and however soon after another.

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
from checkers.datagrams import Datagrams
from checkers.fault import ended, tls_ended
from checkers.sockets import open_socket
from checkers.tls_buffers import TlsBuffers

__all__ = ["RECEIVE_AT_MOST", "TURN_AFTER", "Datagrams", "Stream", "connect"]

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # struct linger: on, 0 seconds

RECEIVE_AT_MOST = 65536

TURN_AFTER = 8192
"""Bytes received, after which everything else has its turn: a server may send them faster than they are dealt with, so
that no wait is between them."""

# Looking up a member of an enum, or a name in a module, costs as much as a call, and these are needed by every check.
_CONNECT, _TALK, _L7RSP = Phase.CONNECT, Phase.TALK, Code.L7RSP
_TCP, _QUICKACK = socket.IPPROTO_TCP, socket.TCP_QUICKACK
_STREAM = int(socket.SOCK_STREAM)


def connect(target: Target, *, speaks_first: bool = False, reset_on_close: bool = False) -> Stream:
    """Used as `async with`: a `Stream` to the target. `reset_on_close` leaves no TIME_WAIT behind.

    `speaks_first` says that the server waits for us to send. What is sent then also acknowledges the connection,
    instead of a packet for nothing else that wakes the server up too early.

    Raises:
        Failed: refused, reset, unreachable.
        Unable: this machine could not try.

    """
    return Stream(target, speaks_first=speaks_first, reset_on_close=reset_on_close)


class Stream:
    """A TCP stream, in the clear until `start_tls`."""

    __slots__ = (
        "_heard",
        "_in_turn",
        "_receives",
        "_reset_on_close",
        "_sends",
        "_sock",
        "_speaks_first",
        "_target",
        "_watch",
        "far_end",
        "tls",
    )

    def __init__(self, target: Target, *, speaks_first: bool, reset_on_close: bool) -> None:
        self._target = target
        self._speaks_first = speaks_first
        self._reset_on_close = reset_on_close
        self.tls: TlsBuffers | None = None
        self.far_end = target.where
        """Who is at the other end, for people: the target, unless that has connected the stream with somebody else."""
        self._heard = False
        self._sends = self._receives = self._in_turn = 0

    async def __aenter__(self) -> Self:
        target = self._target
        target.trace.enter(_CONNECT, f"connecting to {target.where}")
        self._sock = sock = open_socket(target, _STREAM)
        try:
            if self._reset_on_close:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            if self._speaks_first:
                sock.setsockopt(_TCP, _QUICKACK, 0)
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
        if self._watch.ended and not self._reset_on_close:
            # After the server's own end another FIN serves nobody: it would make it keep a TIME_WAIT for each check.
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.close()

    async def start_tls(self, context: ssl.SSLContext, server_name: str | None, resume: Stream | None = None) -> None:
        """TLS from here on, in the session of `resume`; `server_name` is sent, and the certificate must carry it."""
        trace, doing = self._target.trace, "TLS handshake"
        trace.enter(Phase.TLS, f"shaking hands for TLS with {self.far_end}")
        self.tls = TlsBuffers(context, server_name, resume.tls if resume else None)
        heard = b""
        try:
            while not self.tls.handshake():
                await self._flush_tls(doing)
                data = await self._receive_plain(RECEIVE_AT_MOST, Code.L6RSP, doing)
                heard = heard or data
                if not self.tls.feed(data):
                    raise Failed(Code.L6RSP, f"{doing}: connection closed by the server")
            await self._flush_tls(doing)
        except ssl.SSLError as error:
            raise tls_ended(error, doing, heard) from error
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
        self._in_turn += len(data)
        if self._in_turn >= TURN_AFTER:
            self._in_turn = 0
            await self._target.io.turn()
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
        host, port, *_ = self._sock.getsockname()
        return host, port

    def close(self) -> None:
        self._sock.close()

    async def _send_plain(self, data: bytes | memoryview, code: Code, doing: str) -> None:
        try:
            if self._sends == 1:
                # Else the kernel holds this back until what was sent before is acknowledged, which may take 40 ms.
                self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sends += 1
            while True:
                try:
                    sent = self._sock.send(data)
                except BlockingIOError:
                    sent = 0
                if sent == len(data):
                    return
                data = memoryview(data)[sent:]
                await self._watch.writable()
        except OSError as error:
            raise ended(error, code, doing) from error

    async def _receive_plain(self, limit: int, code: Code, doing: str) -> bytes:
        try:
            if self._receives == 1 and self._speaks_first:
                # More is to come, and a server may hold it back until what it sent before is acknowledged.
                self._sock.setsockopt(_TCP, _QUICKACK, 1)
            self._receives += 1
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
