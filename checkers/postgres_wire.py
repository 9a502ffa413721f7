"""The first messages of PostgreSQL's protocol 3.0, as bytes and values; no I/O.

PostgreSQL's documentation, "Message Formats" and "Error and Notice Message Fields".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

SSL_REQUEST = struct.pack("!II", 8, 80877103)
TERMINATE = b"X" + struct.pack("!I", 4)
LONGEST = 30000
"""Bytes of an answer before the login, as in libpq. Both kinds of it are far shorter."""

_LONGEST_TEXT = 1024  # bytes of a field: showing those that are no UTF-8 takes its time

_METHODS = {
    0: "without a password",
    3: "by a password in the clear",
    5: "by a password and MD5",
    7: "by GSSAPI",
    9: "by SSPI",
    10: "by a password and SASL",
}


class NotPostgresError(ValueError):
    """What was received cannot be the beginning of an answer of PostgreSQL's."""


@dataclass(frozen=True, slots=True)
class Message:
    kind: bytes
    body: bytes


def startup(user: str, database: str) -> bytes:
    """A StartupMessage."""
    fields = {"user": user, "database": database, "application_name": "healthd"}
    body = b"".join(f"{name}\0{value}\0".encode() for name, value in fields.items()) + b"\0"
    return struct.pack("!II", 8 + len(body), 196608) + body


def first_message(received: bytes) -> Message | None:
    """The authentication request or the error that `received` begins with; None while it is not whole.

    Raises:
        NotPostgresError: it begins with neither.

    """
    if received[:1] not in (b"", b"R", b"E"):
        raise NotPostgresError
    if len(received) < 5:
        return None
    (length,) = struct.unpack_from("!I", received, 1)
    if not 8 <= length <= LONGEST:
        raise NotPostgresError
    return Message(received[:1], received[5 : 1 + length]) if len(received) > length else None


def method(body: bytes) -> str:
    """How the body of an authentication request wants the client to prove who he is."""
    number = int.from_bytes(body[:4], "big")
    return _METHODS.get(number, f"by method {number}")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An ErrorResponse: its SQLSTATE and its text, each empty if it is missing."""

    state: str
    text: str

    def __str__(self) -> str:
        return f"{self.state} {self.text}".strip()

    @property
    def only_of_the_client(self) -> bool:
        """Whether the server does its work and merely does not want this client.

        So it is with class 28, invalid authorization specification, and 3D000, no such database.
        """
        return self.state.startswith("28") or self.state == "3D000"


def refusal(body: bytes) -> Refusal:
    """Of the body of an ErrorResponse; fields that are missing or broken stay empty."""
    fields = {field[:1]: field[1:_LONGEST_TEXT] for field in body.split(b"\0") if field}
    state, text = (fields.get(name, b"").decode("utf-8", "backslashreplace") for name in (b"C", b"M"))
    return Refusal(state, text)
