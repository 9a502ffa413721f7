"""Browsers that have shown a token once, and are known by a cookie since.

A session ends with its token, after twelve hours, when it is ended, or when so many have come after it that it is one
of the oldest; of its secret only the SHA-256 is kept.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from healthd.clock import Clock
from healthd.config.access import Token

COOKIE = "healthd_session"
LONGEST = 12 * 3600.0
MOST = 64
"""Sessions of one token; with more the oldest ends."""


@dataclass(frozen=True, slots=True)
class Session:
    token: Token
    csrf: str = field(repr=False)
    ends: float


class Sessions:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sessions: dict[bytes, Session] = {}

    def begin(self, token: Token) -> tuple[str, Session]:
        """A new one, with the secret for its cookie."""
        self._forget()
        same = [key for key, session in self._sessions.items() if session.token == token]
        for key in same[: len(same) - MOST + 1]:
            del self._sessions[key]
        secret = secrets.token_urlsafe(32)
        session = Session(token, secrets.token_urlsafe(32), self._clock.monotonic() + LONGEST)
        self._sessions[_key(secret)] = session
        return secret, session

    def find(self, secret: str, tokens: Iterable[Token]) -> Session | None:
        """The session of this secret, if its token is still one of `tokens`, with the role that it had."""
        session = self._sessions.get(_key(secret))
        if session is None or session.ends <= self._clock.monotonic() or session.token not in tokens:
            return None
        return session

    def end(self, secret: str) -> None:
        self._sessions.pop(_key(secret), None)

    def _forget(self) -> None:
        now = self._clock.monotonic()
        self._sessions = {key: session for key, session in self._sessions.items() if session.ends > now}


def _key(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="surrogateescape")).digest()
