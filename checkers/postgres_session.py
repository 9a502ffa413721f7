"""A login to PostgreSQL by the library pg8000, which is the extra `postgres`. It blocks: see `checkers.relay`."""

from __future__ import annotations

import re
import socket
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal, Self

from pg8000.exceptions import DatabaseError
from pg8000.native import Connection

from checkers.base import CheckEnded, Code, Failed, show
from checkers.relay import LONGEST_ANSWER
from checkers.sql import RelayedSqlChecker, Row

MOST_ITERATIONS = 100_000
"""Of SCRAM, where the server's number decides how long this machine computes: some 50 ms. PostgreSQL's own is 4096."""

_CLEARTEXT, _SASL_CONTINUE = 3, 11
_ITERATIONS = re.compile(rb"(?:^|,)i=([0-9]+)")


class UnwillingError(Exception):
    """The server asks for what it is not given."""


_UTF8 = (b"UTF8", b"UTF-8", b"UNICODE")
"""What was asked for, as PostgreSQL and others that speak its protocol call it."""


class _Bounded:
    """What pg8000 uses of a socket, and of a file made of it.

    It reads as many bytes as a message says that it has, and reserves the memory for them first.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, mode: Literal["rwb"]) -> Self:
        self._file = self._sock.makefile(mode)
        self.write, self.flush = self._file.write, self._file.flush
        return self

    def read(self, size: int) -> bytes:
        if not 0 <= size <= LONGEST_ANSWER:
            raise ValueError(f"a message of {size} bytes; up to {LONGEST_ANSWER} are read")
        return self._file.read(size)

    def close(self) -> None:
        self._sock.close()


class PostgresSession(Connection):  # type: ignore[misc] # pg8000 ships no type information
    """Where it is not encrypted the password is not told to whoever asks for it."""

    def __init__(self, sock: socket.socket, checker: RelayedSqlChecker) -> None:
        self._encrypted = checker.tls
        super().__init__(
            checker.user,
            sock=_Bounded(sock),
            ssl_context=False,  # the stream behind the relay sees to it
            password=checker.password,
            database=checker.database,
            application_name="healthd",
            startup_params={"client_encoding": "UTF8"},
        )
        self.pg_types: dict[int, type[str]] = defaultdict(lambda: str)  # values stay as the server writes them

    def handle_AUTHENTICATION_REQUEST(self, data: bytes, context: object) -> None:  # noqa: N802 - pg8000's name
        kind = int.from_bytes(data[:4], "big")
        if kind == _CLEARTEXT and not self._encrypted:
            raise UnwillingError("it asks for the password in the clear, which is told with tls = true only")
        iterations = _ITERATIONS.search(data[4:]) if kind == _SASL_CONTINUE else None
        if iterations is not None and (len(iterations[1]) > 9 or int(iterations[1]) > MOST_ITERATIONS):
            number = show(iterations[1], 12)
            raise UnwillingError(f"it asks for {number} iterations of SCRAM; more than {MOST_ITERATIONS} are refused")
        super().handle_AUTHENTICATION_REQUEST(data, context)

    def handle_PARAMETER_STATUS(self, data: bytes, context: object) -> None:  # noqa: N802 - likewise
        name, encoding, *_ = *data.split(b"\0", 2), b""
        if name == b"client_encoding" and encoding.upper() not in _UTF8:
            # The library would take any encoding of Python's, of which one takes minutes for such an answer.
            raise ValueError(f"texts in the encoding {show(encoding, 30)}; expected UTF8")
        super().handle_PARAMETER_STATUS(data, context)

    def rows(self, query: str) -> Sequence[Row]:
        return self.run(query) or []

    def replica(self) -> tuple[bool, str]:
        value = self.rows("SELECT pg_catalog.pg_is_in_recovery()")[0][0]
        return {"t": True, "f": False}[str(value)], f"pg_is_in_recovery() is {value}"


def understood(error: Exception, doing: str) -> CheckEnded | None:
    """See `checkers.relay.Relay`."""
    if isinstance(error, UnwillingError):
        return Failed(Code.L7STS, f"{doing}: {error}")
    if isinstance(error, DatabaseError) and error.args and isinstance(said := error.args[0], dict):
        return Failed(Code.L7STS, f"{doing}: {said.get('C', 'error')} {show(said.get('M', ''), 200)}")
    return None
