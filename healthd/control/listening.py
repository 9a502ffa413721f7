"""Sockets that healthd listens on: making them, and saying exactly why one cannot be made."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from healthd.config.access import ControlConfig
from healthd.model import Endpoint

MODE = 0o660

Place = Path | Endpoint

_ALIVE = {errno.EAGAIN, errno.EINPROGRESS}  # a unix socket whose queue is full: somebody has it


class ControlUnavailable(Exception):  # noqa: N818 - named for what happened
    """healthd cannot listen where it is told to. Each of `messages` is a sentence for the administrator."""

    def __init__(self, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a new configuration needs, ready to be taken over."""

    config: ControlConfig
    context: ssl.SSLContext | None
    new: dict[Place, socket.socket] = field(default_factory=dict)

    def abandon(self) -> None:
        """It is not taken over after all."""
        for place, made in self.new.items():
            made.close()
            if isinstance(place, Path):
                place.unlink(missing_ok=True)


def places(config: ControlConfig) -> Iterable[Place]:
    if config.socket is not None:
        yield config.socket
    yield from config.listen


def bound(place: Place, config: ControlConfig) -> socket.socket:
    """Raises ControlUnavailable where it cannot be."""
    return unix_socket(place, config.group) if isinstance(place, Path) else tcp_socket(place)


def unix_socket(path: Path, group: int | None) -> socket.socket:
    """Bound, with its mode and group; a socket at `path` that nobody answers on is replaced.

    Raises:
        ControlUnavailable: it cannot be made.
    """
    _clear(path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        # Until listen(2) nobody can connect, so nobody is let in by the mode that it has first.
        made.bind(os.fspath(path))
        path.chmod(MODE)
    except OSError as error:
        made.close()
        raise ControlUnavailable(
            f"control.socket: {path} cannot be made: {error.strerror}. Give this user the folder, "
            'name another place, or set socket = "off" in [control]'
        ) from error
    try:
        give(path, group)
    except ControlUnavailable:
        made.close()
        path.unlink(missing_ok=True)
        raise
    return made


def give(path: Path, group: int | None) -> None:
    """Lets a group use the socket; without one it stays with that of the process.

    Raises:
        ControlUnavailable: this user may not.
    """
    try:
        os.chown(path, -1, os.getegid() if group is None else group, follow_symlinks=False)
    except OSError as error:
        raise ControlUnavailable(
            f"control.group: {path} cannot be given to the group {group}: {error.strerror}. "
            "The user of healthd has to be root or a member of it"
        ) from error


def _clear(path: Path) -> None:
    """Removes a socket that was left behind.

    Raises:
        ControlUnavailable: what is there is something else, or somebody answers.
    """
    try:
        mode = path.lstat().st_mode
    except OSError:
        return  # binding says what is wrong, if anything is
    if not stat.S_ISSOCK(mode):
        raise ControlUnavailable(f"control.socket: {path} is there already, and is not a socket; remove or rename it")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as asking:
        found = asking.connect_ex(os.fspath(path))
    if found == 0 or found in _ALIVE:
        raise ControlUnavailable(f"control.socket: somebody answers at {path} already, perhaps another healthd")
    if found == errno.ECONNREFUSED:
        path.unlink(missing_ok=True)


def tcp_socket(endpoint: Endpoint) -> socket.socket:
    """Bound.

    Raises:
        ControlUnavailable: it cannot be.
    """
    made = socket.socket(endpoint.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # past connections in TIME_WAIT are no hindrance
        if endpoint.family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((endpoint.address, endpoint.port))
    except OSError as error:
        made.close()
        raise ControlUnavailable(f"control.listen: {endpoint}: {error.strerror}{_advice(error, endpoint)}") from error
    return made


def _advice(error: OSError, endpoint: Endpoint) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"; `ss -ltnp 'sport = :{endpoint.port}'` says by whom"
        case errno.EADDRNOTAVAIL:
            return "; no interface of this machine has it"
        case errno.EACCES:
            return "; ports below 1024 need CAP_NET_BIND_SERVICE"
    return ""


def tls(config: ControlConfig) -> ssl.SSLContext | None:
    """The context for listeners on TCP, None without a certificate.

    Raises:
        ControlUnavailable: the certificate or its key cannot be used.
    """
    if config.tls_cert is None or config.tls_key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(config.tls_cert, config.tls_key, password=_no_password)
    except ssl.SSLError as error:
        what = (error.reason or str(error)).lower().replace("_", " ")
        raise ControlUnavailable(
            f"control.tls_cert, control.tls_key: {config.tls_cert} and {config.tls_key} cannot be used: {what}"
        ) from error
    except OSError as error:
        raise ControlUnavailable(
            f"control.tls_cert, control.tls_key: {config.tls_cert} or {config.tls_key} cannot be read: {error.strerror}"
        ) from error
    except ValueError as error:
        raise ControlUnavailable(f"control.tls_key: {config.tls_key}: {error}") from error
    return context


def _no_password() -> str:
    raise ValueError("the key is encrypted; healthd cannot ask for its password, store it without one")
