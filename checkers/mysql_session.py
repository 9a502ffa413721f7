"""A login to MySQL or MariaDB by the library PyMySQL, which is the extra `mysql`. It blocks: see `checkers.relay`."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence

from pymysql.connections import Connection
from pymysql.constants import CR, ER
from pymysql.err import MySQLError

from checkers.base import CheckEnded, Code, Failed, show
from checkers.fault import barred, tls_ended
from checkers.sql import RelayedSqlChecker, Row

_OF_THE_CLIENT = range(2000, 3000)  # errors that the library itself has found: errmsg.h
_TELLING = (b"mysql_clear_password", b"dialog")


class UnwillingError(Exception):
    """The server asks for what it is not given."""


class _Unwilling:
    """Stands for a method of authentication that tells the password to whoever asks."""

    def __init__(self, connection: object) -> None:
        pass

    def authenticate(self, packet: object) -> None:  # noqa: ARG002 - PyMySQL's signature
        raise UnwillingError("it asks for the password in the clear, which is told with tls = true only")


class MysqlSession:
    """Of the checker's user; `context`, if any, is for a server that is called `name`."""

    def __init__(
        self, sock: socket.socket, checker: RelayedSqlChecker, context: ssl.SSLContext | None, name: str
    ) -> None:
        self._connection = Connection(
            host=name,
            user=checker.user,
            password=checker.password,
            database=checker.database,
            ssl=context,
            ssl_disabled=context is None,
            auth_plugin_map={} if context else dict.fromkeys(_TELLING, _Unwilling),
            charset="utf8mb4",
            conv={},  # values stay as the server writes them
            autocommit=None,
            program_name="healthd",
            defer_connect=True,
        )
        self._connection.connect(sock)

    def rows(self, query: str) -> Sequence[Row]:
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            return [[_text(value) for value in row] for row in cursor.fetchall()]

    def replica(self) -> tuple[bool, str]:
        value = self.rows("SELECT @@GLOBAL.read_only")[0][0]
        return {"1": True, "0": False}[str(value)], f"read_only is {value}"

    def close(self) -> None:
        self._connection.close()


def understood(error: Exception, doing: str) -> CheckEnded | None:
    """See `checkers.relay.Relay`."""
    if isinstance(error, UnwillingError):
        return Failed(Code.L7STS, f"{doing}: {error}")
    if not isinstance(error, MySQLError) or len(error.args) < 2:
        return None
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
        return tls_ended(cause, "TLS handshake")
    if error.args[0] == CR.CR_SSL_CONNECTION_ERROR:
        return Failed(Code.L6RSP, "the server speaks no TLS")
    if error.args[0] in _OF_THE_CLIENT or not isinstance(error.args[0], int):
        return None
    said = f"{error.args[0]} {show(str(error.args[1]), 200)}"
    return barred(said) if error.args[0] == ER.HOST_IS_BLOCKED else Failed(Code.L7STS, f"{doing}: {said}")


def _text(value: str | bytes | None) -> str | None:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
