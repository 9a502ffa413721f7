"""The protocol of Redis, RESP2, as far as checks need it: commands out, simple replies in. Pure and bounded.

Source: "Redis serialization protocol specification".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checkers.base import show

LONGEST_LINE = 1024
LONGEST_BULK = 16384
"""Bytes; the section of INFO on replication has some hundred, and a hundred more for each replica. Each may be a line
of its own, or no UTF-8, which takes its time."""

_LENGTH = re.compile(rb"-1|[0-9]{1,9}")
_END = b"\r\n"


class MalformedError(ValueError):
    """Not what a Redis server says, or more than is read of it; the text shows it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`sign` is "+" for a status, "-" for an error, ":" for an integer, "$" for bytes, of which -1 is none at all."""

    sign: str
    data: bytes

    def __str__(self) -> str:
        return show(self.data if self.sign in "+$" else self.sign.encode() + self.data, 100)


def command(*words: bytes) -> bytes:
    """An array of bulk strings: any byte may stand in a word."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def take(received: bytes) -> tuple[Reply, bytes] | None:
    """The first reply and what comes after it; None while it is not whole.

    Raises:
        MalformedError: it can become none, or a longer one than is read.

    """
    end = received.find(_END, 0, LONGEST_LINE)
    if received and received[:1] not in b"+-:$":
        raise MalformedError(f"expected a reply of Redis, received {show(received)}")
    if end < 0:
        if len(received) >= LONGEST_LINE:
            raise MalformedError(f"a line of more than {LONGEST_LINE} bytes, {show(received)}")
        return None
    sign, line, after = received[:1].decode(), received[1:end], received[end + 2 :]
    if sign != "$" or line == b"-1":
        return Reply(sign, line if sign != "$" else b""), after
    if not _LENGTH.fullmatch(line) or int(line) > LONGEST_BULK:
        raise MalformedError(f"expected the length of a text, up to {LONGEST_BULK}, received {show(line)}")
    length = int(line)
    if after[length : length + 2] not in (_END[:1], _END, b""):
        raise MalformedError(f"a text of {length} bytes goes on, {show(after[length:])}")
    if len(after) < length + 2:
        return None
    return Reply(sign, after[:length]), after[length + 2 :]


def fields(info: bytes) -> dict[str, str]:
    """The lines `name:value` of what INFO says."""
    lines = info.decode("utf-8", "backslashreplace").splitlines()
    return {name: value for name, colon, value in (line.partition(":") for line in lines) if colon}
