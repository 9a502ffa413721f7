"""Starts a program with what a program expects: its standard descriptors and no others, and the usual limits.

A process that checks thousands of servers has raised its own limit of open files. A program must not inherit that:
select(2) breaks above 1024, and many a daemon closes every descriptor up to the limit at its start.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import os
import resource
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PYTHON_IGNORES = (signal.SIGPIPE, signal.SIGXFSZ)
"""An ignored signal stays ignored in the program, and a pipe would not end it."""

_CLOSE_RANGE_CLOEXEC = 4  # linux/close_range.h

Action = tuple[int, int, str, int, int] | tuple[int, int, int]


@functools.cache
def usual_limit() -> int:
    """The soft limit of open files that programs get: the one here when this was asked first.

    Whoever raises the limit of this process asks before.
    """
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def start(argv: Sequence[str], environment: Mapping[str, str], *, stdin: int | None, output: int) -> int:
    """The number of a process that runs `argv` in a session of its own; `output` is its stdout and its stderr.

    What it is given is opened anew: from the beginning, and as an ordinary blocking file. Without `stdin` that is
    /dev/null. A name without a slash is looked up in the PATH of `environment`.

    Raises:
        OSError: it could not be started.

    """
    missing: OSError = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), argv[0])
    refused: OSError | None = None
    with contextlib.ExitStack() as stack:
        actions = (
            (os.POSIX_SPAWN_OPEN, 0, os.devnull if stdin is None else _path(stdin, stack), os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, _path(output, stack), os.O_WRONLY, 0),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        )
        _keep_descriptors_back()
        for place in _places(argv[0], environment):
            try:
                return _spawn(place, list(argv), environment, actions)
            except (FileNotFoundError, NotADirectoryError) as error:
                missing = error
            except OSError as error:  # as execvp(3): another folder may have one that can be run
                refused = refused or error
    raise refused or missing


def _path(descriptor: int, stack: contextlib.ExitStack) -> str:
    """Where the new process finds an open file of this one, proc_pid_fd(5).

    dup2(2) would be simpler, but posix_spawn(3) takes no descriptor whose number is above the lowered limit.
    """
    if descriptor <= 2:  # one of the standard ones is closed here; the numbers are to be free over there
        descriptor = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
        stack.callback(os.close, descriptor)
    return f"/proc/self/fd/{descriptor}"


def _places(name: str, environment: Mapping[str, str]) -> list[str]:
    """Where to try, in order. Each attempt costs a process, so that a look comes first."""
    if "/" in name:
        return [name]
    places = (Path(folder) / name for folder in os.get_exec_path(dict(environment)))
    return [str(place) for place in places if _may_exist(place)]


def _may_exist(place: Path) -> bool:
    try:
        return place.exists()
    except PermissionError:
        return True


def _spawn(place: str, argv: list[str], environment: Mapping[str, str], actions: Sequence[Action]) -> int:
    """Lowers the soft limit of this process while the new one is made, which takes a copy of it.

    That is the only way that neither leaves the program a moment with the wrong limit, as prlimit(2) afterwards would,
    nor costs a second exec. It has no effect on what is open, and posix_spawn, unlike subprocess, opens nothing here:
    so it works however many descriptors are open. Another thread would be refused one only if it asked in just this
    moment, with more open than the lowered limit allows; the interpreter's lock is held for nearly all of it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(usual_limit(), soft), hard))
        return os.posix_spawn(place, argv, environment, file_actions=actions, setsid=True, setsigdef=_PYTHON_IGNORES)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _keep_descriptors_back() -> None:
    """What Python opens is closed in the program by itself (PEP 446); here is the rest seen to.

    That is what this process was started with, and what C libraries open. Where the kernel or the C library is too old
    for it (before 5.11, before glibc 2.34) only Python's own are kept back.
    """
    _close_range()(3, 2**32 - 1, _CLOSE_RANGE_CLOEXEC)


@functools.cache
def _close_range() -> Callable[[int, int, int], int]:
    import ctypes  # noqa: PLC0415 - a third of a megabyte that only those who start programs should pay

    call: Callable[[int, int, int], int] = getattr(ctypes.CDLL(None), "close_range", lambda *_: -1)
    return call
