"""Who asks: by the kernel's word on the unix socket, by a token or a session on TCP."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import pwd
import socket
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from healthd.clock import Clock, Deadline
from healthd.config.access import Role, Token

_CREDENTIALS = struct.Struct("=iII")  # struct ucred of unix(7): process, user, group
_LOOK_UP = 2.0
"""Seconds that the user database may take; without a name a user is known by the number."""
_MOST_NAMES = 1000


@dataclass(frozen=True, slots=True)
class Person:
    """`csrf` is what a page has to send along with every act, empty where no browser is involved.

    `trusted` is who could do anything to this process anyway: root, or the user that it runs as.
    """

    who: str
    role: Role
    csrf: str = ""
    trusted: bool = False


def user_of(connection: socket.socket) -> int:
    """The user at the other end of a unix socket, as of its connect(2) (SO_PEERCRED of unix(7))."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    user: int = _CREDENTIALS.unpack(data)[1]
    return user


def name_of_user(number: int) -> str:
    """Raises KeyError for one without a name."""
    return pwd.getpwuid(number).pw_name


class Users:
    """Names of users. They are looked up in a thread: behind it may be a directory that does not answer."""

    def __init__(self, clock: Clock, look_up: Callable[[int], str] = name_of_user) -> None:
        self._clock = clock
        self._look_up = look_up
        self._names: dict[int, str] = {}

    async def name(self, number: int) -> str:
        known = self._names.get(number)
        if known is not None:
            return known
        try:
            async with Deadline(self._clock, _LOOK_UP):
                name = await asyncio.to_thread(self._look_up, number)
        except (KeyError, OSError, TimeoutError):
            return f"uid {number}"
        if len(self._names) < _MOST_NAMES:
            self._names[number] = name
        return name


def holder(tokens: Iterable[Token], secret: str) -> Token | None:
    """Whose token `secret` is. Every token is compared, so that the time says nothing about any of them."""
    digest = hashlib.sha256(secret.encode(errors="surrogateescape")).digest()
    found = None
    for token in tokens:
        if hmac.compare_digest(token.digest, digest):
            found = token
    return found
