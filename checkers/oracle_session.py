"""A program: one login to an Oracle database by the library python-oracledb, which is the extra `oracle`.

It is a process of its own as a server can make the library compute or wait for ever, in the midst of code that nothing
but the end of the process ends. It imports nothing of healthd's, so that it starts quickly.

Its standard input is a JSON object: `host`, `port`, `service`, `user`, `password`, `query` (or null), `most_rows`. The
first line of its output says that it is ready; the next is a JSON object: `rows`, their number, and `value`, the first
value of the first, or `error`, the library's text, with `errno` where the connection failed.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

import oracledb

MEMORY = 1 << 30  # bytes of address space, of which the interpreter and the libraries take a quarter
LONGEST_VALUE = 4000


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """What the server says to it."""
    login = {name: question[name] for name in ("host", "port", "user", "password")}
    try:
        with oracledb.connect(**login, service_name=question["service"], retry_count=0, disable_oob=True) as connection:
            if question["query"] is None:
                return {}
            with connection.cursor() as cursor:
                cursor.execute(question["query"])
                rows = cursor.fetchmany(question["most_rows"]) if cursor.description else []
    except oracledb.Error as error:
        return {"error": str(error), "errno": _errno(error)}
    value = rows[0][0] if rows and rows[0] else None
    return {"rows": len(rows), "value": None if value is None else str(value)[:LONGEST_VALUE]}


def _errno(error: BaseException | None) -> int | None:
    """Of the operating system's error that is the cause, if any is."""
    while error is not None:
        if isinstance(error, OSError):
            return error.errno
        error = error.__cause__
    return None


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    print("ready", flush=True)  # noqa: T201 - it is a program
    print(json.dumps(answer(json.load(sys.stdin))))  # noqa: T201
