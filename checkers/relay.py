"""Lets a library that blocks talk to a server, in a thread that ends with the check for sure.

The library is handed one end of a socket pair; what passes between the other end and the server's stream is passed on
here. So the connection is made as for every other check, its bytes are counted, and closing our end ends whatever the
library waits for.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from checkers import net
from checkers.base import CheckEnded, Code, Failed, Phase, Target, Unable, show
from checkers.fault import ended

LONGEST_ANSWER = 1 << 16
"""Bytes that a server may send to a library in one check, all that is said while logging in included. Of a single
message of these a library may make tens of thousands of objects in one go, in which no other thread moves; an honest
login has some hundred bytes."""

_EVIDENCE = 60

P = ParamSpec("P")
T = TypeVar("T")


class Relay:
    """Used as `async with`.

    `understood` makes a check's end of an exception by which the library says what the server has said, and None of
    those by which it says that it was cut off or did not understand.
    """

    def __init__(
        self, stream: net.Stream, target: Target, understood: Callable[[Exception, str], CheckEnded | None]
    ) -> None:
        self._stream = stream
        self._target = target
        self._understood = understood
        self._received = 0
        self._beginning = b""
        self._end: CheckEnded | None = None

    async def __aenter__(self) -> Self:
        try:
            self.socket, self._ours = socket.socketpair()
        except OSError as error:
            raise ended(error, Code.SOCKERR, "opening a pair of sockets") from error
        self._ours.settimeout(0)
        self._thread = ThreadPoolExecutor(1, "healthd-relay")
        try:
            self._thread.submit(self.socket.fileno)  # anything: it starts the thread
        except RuntimeError as error:
            self._ours.close()
            self.socket.close()
            raise Unable(Code.SOCKERR, f"starting a thread: {error}") from error
        self._pumps = [asyncio.create_task(self._inward()), asyncio.create_task(self._outward())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:  # what the library has said at last is still to be sent
                await asyncio.wrap_future(self._thread.submit(_close, self.socket))
                await self._pumps[1]
        finally:
            for pump in self._pumps:
                pump.cancel()
            self._thread.submit(_close, self.socket)
            self._thread.shutdown(wait=False)
            try:
                await asyncio.gather(*self._pumps, return_exceptions=True)
            finally:
                self._ours.close()

    async def call(self, doing: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `function`, which is the library's, returns in the thread.

        Raises:
            Failed: it raised, whatever that was: all that a library is given to read comes from the server.

        """
        self._target.trace.enter(Phase.TALK, doing)
        future = self._thread.submit(function, *args, **kwargs)
        try:
            return await asyncio.wrap_future(future)
        except Exception as error:
            raise self._understood(error, doing) or self._failed(error, doing) from error

    def _failed(self, error: Exception, doing: str) -> CheckEnded:
        if self._end is not None:
            return self._end
        reason = f"{type(error).__name__} {show(str(error))}"
        return Failed(Code.L7RSP, f"{doing}: the answer is not understood{self._evidence()} ({reason})")

    def _evidence(self) -> str:
        count = f"{self._received} bytes" if self._received != 1 else "1 byte"
        return f", received {count}: {show(self._beginning)}" if self._received else ", received nothing"

    async def _inward(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while data := await self._stream.receive(net.RECEIVE_AT_MOST):
                self._beginning = (self._beginning + data)[: _EVIDENCE + 1]
                self._received += len(data)
                if self._received > LONGEST_ANSWER:
                    raise Failed(Code.L7RSP, f"the server sent more than {LONGEST_ANSWER} bytes")
                await loop.sock_sendall(self._ours, data)
            self._end = Failed(Code.L7RSP, f"connection closed by the server{self._evidence()}")
        except CheckEnded as end:
            self._end = end
        except ConnectionError:
            pass  # the library has heard enough
        finally:
            with contextlib.suppress(OSError):
                self._ours.shutdown(socket.SHUT_WR)

    async def _outward(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while data := await loop.sock_recv(self._ours, net.RECEIVE_AT_MOST):
                await self._stream.send(data)
        except (CheckEnded, ConnectionError):
            pass  # the server listens no more; what it has said until then is what counts


def _close(sock: socket.socket) -> None:
    """At once, even if a file object that the library has made of it is still alive."""
    if (descriptor := sock.detach()) >= 0:
        os.close(descriptor)
