"""Calls that take long and let go of the interpreter's lock meanwhile, as a search by RE2 does and all that is written
in Python: in a thread.

Checks that run without a task of their own can wait for one too: what they wait for is a socket.
"""

from __future__ import annotations

import contextlib
import functools
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from checkers.base import Code, Unable
from checkers.fault import ended
from checkers.waiting import Io

T = TypeVar("T")

THREADS = 2


async def apart(io: Io, call: Callable[[], T]) -> T:
    """What `call` returns, or the exception that it raises. It has to end by itself, even if nobody waits any more."""
    try:
        ours, theirs = socket.socketpair()
    except OSError as error:
        raise ended(error, Code.SOCKERR, "opening a pair of sockets") from error
    with ours:
        ours.settimeout(0)
        watch = io.watch(ours.fileno())
        try:
            future = _threads().submit(call)
        except RuntimeError as error:
            theirs.close()
            raise Unable(Code.SOCKERR, f"starting a thread: {error}") from error
        future.add_done_callback(lambda _: theirs.close())  # is read as the end of the stream
        while not future.done():
            await watch.readable()
            with contextlib.suppress(BlockingIOError):
                ours.recv(1)
    return future.result()


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, "healthd-apart")
