"""The journal's native protocol: fields in a datagram to its socket; systemd.journal-fields(7).

https://systemd.io/JOURNAL_NATIVE_PROTOCOL/ has the format.
"""

from __future__ import annotations

import array
import errno
import fcntl
import os
import socket
from collections.abc import Iterable
from pathlib import Path

JOURNAL = Path("/run/systemd/journal/socket")

_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
"""The journal takes a file only when nobody can change it any more."""


def encoded(fields: Iterable[tuple[str, str]]) -> bytes:
    """The fields of one entry; a name may come several times. A value with a line break has its length in front."""
    parts: list[bytes] = []
    for name, value in fields:
        raw = value.encode("utf-8", "backslashreplace")
        if b"\n" in raw:
            parts += (name.encode(), b"\n", len(raw).to_bytes(8, "little"), raw, b"\n")
        else:
            parts += (name.encode(), b"=", raw, b"\n")
    return b"".join(parts)


class Journal:
    """Found anew with every entry, so that one which was started again gets what follows."""

    def __init__(self, path: Path = JOURNAL) -> None:
        """Raises OSError when nobody listens there."""
        self._path = str(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
            probe.connect(self._path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def send(self, entry: bytes) -> None:
        """Never waits. An entry that is too long for a datagram travels as a sealed file in memory.

        Raises:
            BlockingIOError: the journal does not keep up.
            OSError: it cannot be reached.

        """
        try:
            self._socket.sendto(entry, self._path)
        except OSError as error:
            if error.errno not in (errno.EMSGSIZE, errno.ENOBUFS):
                raise
            self._send_file(entry)

    def _send_file(self, entry: bytes) -> None:
        file = os.memfd_create("healthd-log", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            with os.fdopen(os.dup(file), "wb") as writer:
                writer.write(entry)
            fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEALS)
            handed_over = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file]))]
            self._socket.sendmsg([b""], handed_over, 0, self._path)
        finally:
            os.close(file)

    def close(self) -> None:
        self._socket.close()
