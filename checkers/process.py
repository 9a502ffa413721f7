"""Runs one program to its end, and leaves nothing of it behind.

Rules:

1. The program leads its own session and process group. When it ends, and when the caller is cancelled, the whole group
   gets SIGKILL: neither a program that ignores SIGTERM nor a child that it leaves behind goes on.
2. The end of the program is what counts, seen through a pidfd. A child that holds the output open delays nothing.
3. Of the output a bounded part is kept, and the rest is read and thrown away, so that the program never blocks on it.
4. The group is killed before its leader is reaped: until then the group's number cannot have passed to another.

What leaves the group on purpose (setsid, set -m) is out of reach, but finds its output closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from checkers import spawn

KEEP = 4096
"""How many bytes of output are kept unless the caller says otherwise."""

READ_SIZE = 65536  # the capacity of a pipe

DEATH_SECONDS = 1.0
"""How long a killed program is waited for. One that is stuck in the kernel (a dead NFS server) dies later than that;
it is reaped when it does, and nobody waits for it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """`status` is the exit status, or -N when signal N ended the program; `output` is its stdout and stderr, mixed."""

    status: int
    output: bytes

    @property
    def how(self) -> str:
        """`exit status 1`, or `killed by SIGSEGV (Segmentation fault)`."""
        if self.status >= 0:
            return f"exit status {self.status}"
        number = -self.status
        names = {member.value: member.name for member in signal.Signals}
        return f"killed by {names.get(number, f'signal {number}')} ({signal.strsignal(number) or 'real-time signal'})"


class LostError(OSError):
    """It was started, and what came of it cannot be known."""


async def run(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    stdin: bytes = b"",
    keep: int = KEEP,
    output: bytearray | None = None,
) -> Ended:
    """Runs `argv` without a shell and waits for its end. There is no timeout: cancel it.

    A name without a slash is looked up in the PATH of `environment`. At most `keep` bytes of output are kept; they are
    also in `output`, if given, for a caller that cancels and wants to know what the program had to say.

    Raises:
        LostError: nobody knows how it ended.
        OSError: it could not be started; nothing has been run.

    """
    process = _Process(argv, environment, stdin, keep)
    if output is not None:
        process.output = output
    try:
        await asyncio.wait({process.end})
    except asyncio.CancelledError:
        process.kill()
        await asyncio.wait({process.end}, timeout=DEATH_SECONDS)
        raise
    return Ended(process.end.result(), bytes(process.output))


def explain(error: OSError, program: str) -> str:
    """Why `program` could not be started, and what is likely to mend it."""
    number = error.errno or 0
    hint = ""
    if number == errno.ENOENT and "/" in program and Path(program).exists():
        hint = "; the file is there, the interpreter that its first line (#!) names is not"
    elif number == errno.ENOEXEC:
        hint = "; a script's first line must name its interpreter, as in #!/bin/sh"
    elif number == errno.EACCES:
        hint = "; is it a file, and executable?"
    return f"cannot start {program}: {error.strerror} ({errno.errorcode.get(number, number)}){hint}"


class _Process:
    """A running program, watched by the event loop. It cleans up after itself even if nobody waits for `end`."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], stdin: bytes, keep: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._keep = keep
        self.output = bytearray()
        self.end: asyncio.Future[int] = self._loop.create_future()
        self._pipe, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            self._number = _start(argv, environment, stdin, writing)
            self._pidfd = self._watch()
        except BaseException:
            os.close(self._pipe)
            raise
        finally:
            os.close(writing)
        self._loop.add_reader(self._pipe, self._read)
        self._loop.add_reader(self._pidfd, self._ended)

    def _watch(self) -> int:
        try:
            return os.pidfd_open(self._number)
        except OSError as error:
            self.kill()
            os.waitpid(self._number, 0)
            raise LostError(error.errno, error.strerror) from error

    def kill(self) -> None:
        # ESRCH: all gone. EPERM: all that is left has changed its user, and is out of this process's reach.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._number, signal.SIGKILL)

    def _ended(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self.kill()
        while len(self.output) < self._keep and self._read():
            pass
        self._loop.remove_reader(self._pipe)
        os.close(self._pipe)
        try:
            _, status = os.waitpid(self._number, 0)  # returns at once: the pidfd says that it has ended
        except ChildProcessError:
            stolen = LostError(errno.ECHILD, "its exit status was taken by other code in this process")
            self.end.set_exception(stolen)
        else:
            self.end.set_result(os.waitstatus_to_exitcode(status))

    def _read(self) -> bool:
        """Takes what the pipe holds; False when there is nothing, now or ever."""
        try:
            data = os.read(self._pipe, READ_SIZE)
        except BlockingIOError:
            return False
        if not data:
            self._loop.remove_reader(self._pipe)
        self.output += data[: self._keep - len(self.output)]
        return bool(data)


def _start(argv: Sequence[str], environment: Mapping[str, str], stdin: bytes, output: int) -> int:
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        # The kernel would reap the program and throw its status away.
        raise OSError(errno.ECHILD, "SIGCHLD is ignored in this process: exit statuses cannot be had")
    if not stdin:
        return spawn.start(argv, environment, stdin=None, output=output)
    # A file in memory: unlike a pipe it takes everything at once, and the program need not read it.
    source = os.memfd_create("stdin")
    try:
        os.write(source, stdin)
        return spawn.start(argv, environment, stdin=source, output=output)
    finally:
        os.close(source)
