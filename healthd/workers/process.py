"""A worker's process, as its parent holds it: started, watched by a pidfd, killed and reaped.

It is a fresh interpreter and not a fork: the parent may have threads, and a fork would inherit all that it knows. Of
the parent's descriptors it has one end of a socket pair, and standard error for its log.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys

from checkers import spawn
from checkers.process import Ended

_START = """
import sys
sys.path[:] = sys.argv[4:]
from healthd.workers.child import main
main(*map(int, sys.argv[1:4]))
"""


class Process:
    """`socket` is the parent's end, to be taken over by whoever talks; `ended` is done when the process has ended."""

    def __init__(self) -> None:
        """Raises OSError when it cannot be started: out of descriptors, processes or memory."""
        loop = asyncio.get_running_loop()
        self.socket, theirs = socket.socketpair()
        try:
            with theirs:
                self._popen = _start(theirs.fileno())
            self._pidfd = self._watch()
        except BaseException:
            self.socket.close()
            raise
        self.ended: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self._pidfd, self._note_end)

    @property
    def number(self) -> int:
        return self._popen.pid

    def _watch(self) -> int:
        try:
            return os.pidfd_open(self._popen.pid)
        except OSError:
            self._popen.kill()
            self._popen.wait()
            raise

    def _note_end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        self.ended.set_result(None)

    def kill(self) -> None:
        self._popen.kill()

    async def end(self, grace: float) -> Ended:
        """Waits for `grace` seconds at most, then kills it. How it ended; it has been reaped."""
        try:
            await asyncio.wait({self.ended}, timeout=grace)
            self.kill()
            await asyncio.wait({self.ended})
        finally:
            self.kill()
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            status = self._popen.wait()
        return Ended(status, b"")


def _start(descriptor: int) -> subprocess.Popen[bytes]:
    """The worker imports exactly what this process does: it gets its search path, less the working directory."""
    path = [entry for entry in sys.path if entry]
    numbers = (descriptor, os.getpid(), spawn.usual_limit())
    argv = [sys.executable, "-P", "-c", _START, *map(str, numbers), *path]
    return subprocess.Popen(  # noqa: S603 - this interpreter, and nothing from outside
        argv,
        stdin=subprocess.DEVNULL,
        stdout=2,  # what a plugin prints goes where the log goes
        pass_fds=(descriptor,),
    )
