"""What servers of line protocols answer: from bytes to lines, and from lines to replies. Pure, and bounded throughout.

A `Grammar` is asked after each line whether the lines so far are a whole reply. It looks at the first and the last of
them alone, so that a long reply costs no more for its length.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from checkers.base import show

LONGEST_LINE = 4096
"""Bytes. RFC 5321, section 4.5.3.1.5 allows 512, RFC 3977 the same; capabilities of IMAP servers have about 700."""
MOST_LINES = 200
"""Of one reply; a welcome by FTP may be a page long."""
LONGEST_REPLY = 65536
"""Bytes, whatever its lines."""

Grammar = Callable[[Sequence[bytes]], "str | None"]
"""The status of the reply that these lines are, or None while more belong to it. Raises MalformedError."""

_CODED = re.compile(rb"([1-5][0-9][0-9])(?:([ -]).*)?", re.DOTALL)
_CODE = re.compile(rb"([1-5][0-9][0-9])(?: .*)?", re.DOTALL)
_INDICATOR = re.compile(rb"(\+OK|-ERR)(?: .*)?", re.DOTALL)
_UNTAGGED = re.compile(rb"\* (OK|PREAUTH|BYE)(?: .*)?", re.DOTALL | re.IGNORECASE)


class MalformedError(ValueError):
    """The lines are no reply of this protocol; the text shows why."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`status` is the code or word that the reply is judged by; `lines` are all of it, without their ends."""

    status: str
    lines: tuple[bytes, ...]

    def __str__(self) -> str:
        """The last line, which is the one that says most, for people."""
        return show(self.lines[-1], 100)


class LineBuffer:
    """Bytes as they come, until they are lines. It never holds more than was fed while no line was ready."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = bytearray()

    @property
    def held(self) -> bytes:
        """What has come and is in no line yet that was taken."""
        return bytes(self._data)

    def feed(self, data: bytes) -> None:
        self._data += data

    def take(self) -> bytes | None:
        """The next line without its CRLF or bare LF; None until there is a whole one.

        Raises:
            MalformedError: it is longer than `LONGEST_LINE`.

        """
        end = self._data.find(b"\n", 0, LONGEST_LINE)
        if end < 0:
            if len(self._data) >= LONGEST_LINE:
                raise MalformedError(f"a line of more than {LONGEST_LINE} bytes, {show(bytes(self._data[:200]))}")
            return None
        return self.take_bytes(end + 1)[:-1].removesuffix(b"\r")

    def take_bytes(self, count: int) -> bytes:
        """The next ones, lines or not; fewer than `count` if no more have come."""
        data = bytes(self._data[:count])
        del self._data[:count]
        return data


def coded(lines: Sequence[bytes]) -> str | None:
    """SMTP and LMTP (RFC 5321, section 4.2.1): each line has the same code, and all but the last a hyphen after it."""
    first, last = _CODED.fullmatch(lines[0]), _CODED.fullmatch(lines[-1])
    if first is None or last is None or first[1] != last[1]:
        expected = (
            f"a line with the code {first[1].decode()}" if first and len(lines) > 1 else 'a reply such as "220 text"'
        )
        raise _unexpected(expected, lines[-1])
    return None if last[2] == b"-" else last[1].decode()


def framed(lines: Sequence[bytes]) -> str | None:
    """FTP (RFC 959, section 4.2): of a longer reply the first line has a hyphen after its code.

    Its last has the same code and a blank, and anything may stand on those between them.
    """
    first = _CODED.fullmatch(lines[0])
    if first is None:
        raise _unexpected('a reply such as "220 text"', lines[0])
    over = first[2] != b"-" if len(lines) == 1 else lines[-1].startswith(first[1] + b" ")
    return first[1].decode() if over else None


def single(lines: Sequence[bytes]) -> str | None:
    """NNTP (RFC 3977, section 3.1): one line with a code."""
    found = _CODE.fullmatch(lines[-1])
    if found is None:
        raise _unexpected('a reply such as "200 text"', lines[-1])
    return found[1].decode()


def indicated(lines: Sequence[bytes]) -> str | None:
    """POP3 (RFC 1939, section 3): one line with +OK or -ERR."""
    found = _INDICATOR.fullmatch(lines[-1])
    if found is None:
        raise _unexpected("+OK or -ERR", lines[-1])
    return found[1].decode()


def untagged(lines: Sequence[bytes]) -> str | None:
    """The greeting of IMAP (RFC 9051, section 7.1): one line with OK, PREAUTH or BYE."""
    found = _UNTAGGED.fullmatch(lines[-1])
    if found is None:
        raise _unexpected('a greeting such as "* OK text"', lines[-1])
    return found[1].decode().upper()


def tagged(tag: bytes) -> Grammar:
    """IMAP (RFC 9051, section 2.2.2): untagged lines come before the one with the command's own tag.

    A request for more ends the reply too, with the status "+", and so does BYE: the server has hung up.
    """
    final = re.compile(re.escape(tag) + rb" (OK|NO|BAD)(?: .*)?", re.DOTALL | re.IGNORECASE)

    def grammar(lines: Sequence[bytes]) -> str | None:
        line = lines[-1]
        if found := final.fullmatch(line):
            return found[1].decode().upper()
        if line == b"+" or line.startswith(b"+ "):
            return "+"
        if not line.startswith(b"* "):
            raise _unexpected(f'an answer to {tag.decode()}, such as "{tag.decode()} OK text"', line)
        found = _UNTAGGED.fullmatch(line)
        return "BYE" if found and found[1].upper() == b"BYE" else None

    return grammar


def _unexpected(expected: str, line: bytes) -> MalformedError:
    return MalformedError(f"expected {expected}, received {show(line)}")
