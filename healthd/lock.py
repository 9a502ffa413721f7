"""One healthd per state folder: an advisory lock that ends with the process, however it ends.

A disk that is full or read-only does not keep it from being held: what cannot be written is only who holds it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self


class AlreadyLocked(Exception):  # noqa: N818 - named for what happened
    """Another healthd holds the table; the message names it."""


class Lock:
    """`with Lock(state_dir)`.

    Raises:
        AlreadyLocked: another process holds it.
        OSError: the folder cannot be made, or this user may not write to it.
    """

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "lock"

    def __enter__(self) -> Self:
        self._path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._descriptor = _opened(self._path)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(self._descriptor)
            os.close(self._descriptor)
            who = f" (process {holder})" if holder.isdigit() else ""
            raise AlreadyLocked(f"another healthd{who} holds the table: {self._path} is locked") from None
        with contextlib.suppress(OSError):
            written = os.write(self._descriptor, f"{os.getpid()}\n".encode())
            os.ftruncate(self._descriptor, written)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.ENOSPC, errno.EDQUOT):
            raise
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _holder(descriptor: int) -> str:
    try:
        return os.read(descriptor, 32).decode("ascii", "replace").strip()
    except IsADirectoryError:
        return ""
