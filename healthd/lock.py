"""One healthd per state folder: an advisory lock that ends with the process, however it ends."""

from __future__ import annotations

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
        OSError: the folder cannot be made or written to.
    """

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "lock"

    def __enter__(self) -> Self:
        self._path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._descriptor, 32).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            who = f" (process {holder})" if holder.isdigit() else ""
            raise AlreadyLocked(f"another healthd{who} holds the table: {self._path} is locked") from None
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, f"{os.getpid()}\n".encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)
