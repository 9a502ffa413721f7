"""The file that says who may ask healthd, and who may tell it what to do: lines of NAME ROLE TOKEN."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from checkers.base import show
from healthd.config.access import Role, Token
from healthd.config.documents import reason
from healthd.config.findings import Document, Findings, Place
from healthd.config.words import one_of

LARGEST = 65536
"""Bytes of the file: more than a thousand tokens."""

_LAST = 1_000_000  # its messages come after those of the configuration's files
_NAME = re.compile(r"[\w.@+-]{1,64}")
_TOKEN = re.compile(r"[!-~]{20,200}")


def tokens(path: Path, place: Place, findings: Findings) -> tuple[Token, ...] | None:
    """The tokens in the file at `path`, which stands at `place`; None where this user may not read it.

    No message shows any part of a line: words may stand in the wrong order, and one of them is secret.
    """
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST + 1).decode()
    except PermissionError:
        return None
    except UnicodeDecodeError:
        findings.error(place, f"{show(str(path), 4096)} is not UTF-8 text")
        return ()
    except OSError as error:
        findings.error(place, f"{show(str(path), 4096)} cannot be used: {reason(error)}")
        return ()
    if len(text) > LARGEST:
        findings.error(place, f"{show(str(path), 4096)} is larger than {LARGEST} bytes")
        return ()
    found = tuple(_lines(Document(_LAST, path, text), findings))
    if not any(line.split("#")[0].strip() for line in text.splitlines()):
        findings.error(place, f"{show(str(path), 4096)} has no token; expected lines of NAME ROLE TOKEN")
    return found


def _lines(document: Document, findings: Findings) -> Iterator[Token]:
    seen: dict[bytes, int] = {}
    for number, line in enumerate(document.text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        problem = _problem(words)
        digest = hashlib.sha256(words[-1].encode()).digest()
        if not problem and digest in seen:
            problem = f"the token is that of line {seen[digest]}; everybody needs one of their own"
        if problem:
            findings.error(Place(document, at=number), problem)
            continue
        seen[digest] = number
        yield Token(name=words[0], role=Role(words[1]), digest=digest)


def _problem(words: list[str]) -> str:
    if len(words) != 3:
        return f"expected NAME ROLE TOKEN, three words, not {len(words)}"
    name, role, token = words
    if not _NAME.fullmatch(name):
        return "the first word is not a name: letters, digits, ., _, @, + and -, at most 64"
    if role not in set(Role):
        return f"the second word is not a role: expected {one_of(Role)}"
    if not _TOKEN.fullmatch(token):
        return "a token has 20 to 200 characters of ASCII; `openssl rand -hex 20` makes a good one"
    return ""
