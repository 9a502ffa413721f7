"""What is said when the daemon does not do as it is asked: what is wrong, where, and what to do about it."""

from __future__ import annotations

import errno
import getpass
import http.client
import ssl
from collections.abc import Callable, Mapping

from healthd.cli.exits import Exit, Problem
from healthd.cli.locate import Place, group_and_mode
from healthd.printable import one_line


class Unreachable(Problem):
    """Nobody answers."""


class Answered(Problem):
    """The daemon refused, or failed; `http_status` is how it said so, `said` are its own words."""

    def __init__(self, status: Exit, http_status: int, said: tuple[str, ...]) -> None:
        super().__init__(status, *(f"healthd: {one_line(text)}" for text in said))
        self.http_status = http_status
        self.said = said


HOW_TO_START = "Is it running? `systemctl status healthd` tells; `healthd run -c PATH` starts it."
HOW_TO_NAME = (
    "If it has another configuration, name that with -c PATH, or the socket with --socket PATH or $HEALTHD_SOCKET."
)


def unreachable(place: Place, error: Exception, patience: float) -> Unreachable:
    """The failure of a connection, for people."""
    if place.path is not None and isinstance(error, OSError) and error.errno in _AT_THE_SOCKET:
        return _AT_THE_SOCKET[error.errno](place)
    if isinstance(error, TimeoutError):
        return _silent(f"the daemon at {place} ({place.because}) did not answer within {patience:g} s.")
    if isinstance(error, ssl.SSLCertVerificationError):
        return _tell(
            f"the certificate of {place} is not to be trusted: {error.verify_message}.",
            "With a certificate of your own: SSL_CERT_FILE=/path/ca.pem healthd ...",
        )
    if isinstance(error, http.client.HTTPException) and not isinstance(error, OSError):
        return _silent(f"what listens at {place} ({place.because}) does not speak healthd's HTTP: {_text(error)}.")
    if place.path is None:
        return _nobody_there(place, error)
    return _nobody(f"{place} ({place.because}) cannot be reached: {_text(error)}.")


def _text(error: Exception) -> str:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return one_line(said or type(error).__name__, 200)


def _tell(*lines: str, status: Exit = Exit.UNAVAILABLE) -> Unreachable:
    first, *rest = lines
    return Unreachable(status, f"healthd: {first}", *(f"  {line}" for line in rest))


def _nobody_there(place: Place, error: Exception) -> Unreachable:
    text = f"{place} ({place.because}) cannot be reached: {_text(error)}."
    if isinstance(error, ConnectionResetError) and not place.tls:
        return _tell(text, "It may speak TLS alone: say https:// instead of http://.")
    return _tell(text, "Is healthd running there, and is this address in its `[control] listen`?")


def _nobody(text: str) -> Unreachable:
    return _tell(text, HOW_TO_START, HOW_TO_NAME)


def _silent(text: str) -> Unreachable:
    return _tell(text, "Its log says more: `journalctl -u healthd -e`.")


def _not_permitted(place: Place) -> Unreachable:
    found = group_and_mode(place.path) if place.path else ""
    seen = f" ({found})" if found else ""
    return _tell(
        f"you ({_user()}) may not open the socket {place.path}{seen}.",
        "Be root, or a member of the group that `[control] group` gives the socket to.",
        status=Exit.NOT_PERMITTED,
    )


def _no_socket(place: Place) -> Unreachable:
    return _nobody(f"no daemon to ask: there is no socket {place.path} ({place.because}).")


def _no_listener(place: Place) -> Unreachable:
    return _nobody(f"no daemon to ask: nobody listens at the socket {place.path} ({place.because}).")


_AT_THE_SOCKET: Mapping[int | None, Callable[[Place], Unreachable]] = {
    errno.ENOENT: _no_socket,
    errno.ENOTDIR: _no_socket,
    errno.ECONNREFUSED: _no_listener,
    errno.EACCES: _not_permitted,
    errno.EPERM: _not_permitted,
}


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "a user without a name"
