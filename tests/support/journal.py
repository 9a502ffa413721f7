"""A journal for tests: it reads what the protocol says, from datagrams and from files that are passed in one."""

from __future__ import annotations

import fcntl
import os
import socket
from collections import defaultdict
from pathlib import Path
from types import TracebackType
from typing import Self

Entry = dict[str, list[str]]


class FakeJournal:
    """`sealed` tells of the last file that came whether nobody could change it any more."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sealed = False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(path))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def entries(self) -> list[Entry]:
        """What has come since the last call."""
        found: list[Entry] = []
        while True:
            try:
                data, files, _, _ = socket.recv_fds(self._socket, 2**20, 1)
            except BlockingIOError:
                return found
            found.append(_parsed(self._content(files[0]) if files else data))

    def _content(self, file: int) -> bytes:
        self.sealed = bool(fcntl.fcntl(file, fcntl.F_GET_SEALS) & fcntl.F_SEAL_WRITE)
        with os.fdopen(file, "rb") as reader:
            reader.seek(0)
            return reader.read()


def _parsed(data: bytes) -> Entry:
    entry: Entry = defaultdict(list)
    while data:
        line, _, data = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            length = int.from_bytes(data[:8], "little")
            value, data = data[8 : 8 + length], data[9 + length :]
        entry[name.decode()].append(value.decode())
    return dict(entry)
