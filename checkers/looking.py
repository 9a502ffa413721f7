"""Looking at files on this machine, and at the names that files may have. What is called here may block."""

from __future__ import annotations

import errno
import os
import re
import socket
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from checkers.base import Code, Unable, show
from checkers.outcome import LARGEST_WEIGHT

CONTENT_AT_MOST = 64  # bytes that are read of a file: a weight needs no more
FILES_AT_MOST = 10_000

_WEIGHT = re.compile(rb"\s*([0-9]{1,5})(%?)\s*")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?(?::[0-9]{1,5})?")
_ADDRESS = re.compile(r"[0-9.]+(?::[0-9]{1,5})?")
_HOST_NOT_FOUND, _NO_DATA = 1, 4  # netdb.h


@dataclass(frozen=True, slots=True)
class Seen:
    """A file that is there; `changed` is its time of modification, in seconds since 1970."""

    changed: float
    content: bytes = b""


def look(path: Path, read: bool) -> Seen | None:  # noqa: FBT001 - called by way of a partial
    """The file, with its beginning if `read`; None if it is not there, although the folder is that it should be in.

    Raises:
        OSError: it cannot be looked at, its folder is not there, or it is to be read and is no regular file.

    """
    try:
        about = path.stat()
    except FileNotFoundError:
        path.parent.stat()
        return None
    if not read:
        return Seen(about.st_mtime)
    # A named pipe without a writer would keep the thread waiting, a device might do anything.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(errno.EINVAL, "is no regular file", str(path))
        return Seen(about.st_mtime, os.read(descriptor, CONTENT_AT_MOST))
    finally:
        os.close(descriptor)


def listed(directory: Path) -> frozenset[str]:
    """The names in a folder.

    Raises:
        OSError: it cannot be read, or has more files than anybody would put there by hand.

    """
    with os.scandir(directory) as entries:
        names = frozenset(entry.name for entry in islice(entries, FILES_AT_MOST + 1))
    if len(names) > FILES_AT_MOST:
        raise OSError(errno.EFBIG, f"has more than {FILES_AT_MOST} files", str(directory))
    return names


def hosts_of(address: str) -> tuple[str, ...]:
    """The names of an address, full and short ones; none if it has none.

    Raises:
        OSError: the resolver cannot tell.

    """
    try:
        name, aliases, _ = socket.gethostbyaddr(address)
    except socket.herror as error:
        if error.errno in (_HOST_NOT_FOUND, _NO_DATA):
            return ()
        raise
    full = (name, *aliases)
    return (*full, *(host.partition(".")[0] for host in full))


def names_of(hosts: Iterable[str], port: int) -> frozenset[str]:
    """What a file may be called that is for one of `hosts`, be it names or addresses, all of it or one port."""
    return frozenset(name for host in hosts for name in (host, f"{host}:{port}"))


def may_be_host(name: str) -> bool:
    """Whether a file may be named for a host by its name, rather than by its address."""
    return _HOST.fullmatch(name) is not None and _ADDRESS.fullmatch(name) is None


def bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def weight_in(content: bytes) -> tuple[int | None, float | None]:
    """The weight or the factor in a file: "50", or "50%" of the configured weight.

    Raises:
        ValueError: it is neither; the text goes on after the name of the file.

    """
    match = _WEIGHT.fullmatch(content)
    number = int(match[1]) if match else LARGEST_WEIGHT + 1
    if match is None or number > LARGEST_WEIGHT:
        held = f"holds {show(content)}" if content.strip() else "is empty"
        raise ValueError(f'{held}; expected a weight from 0 to {LARGEST_WEIGHT}, or a share such as "50%"')
    return (None, number / 100) if match[2] else (number, None)


def unable(error: OSError, path: Path) -> Unable:
    """The outcome of a file, a folder or a name that could not be looked at."""
    if isinstance(error, socket.herror | socket.gaierror):
        return Unable(
            Code.FILEERR, f"the files in {path} may name a host, and its name cannot be told: {error.args[1]}"
        )
    where = error.filename if isinstance(error.filename, str) else str(path)
    return Unable(Code.FILEERR, f"cannot look at {where}: {error.strerror}")
