"""From a path to the TOML tables of its files. Everything that can be wrong with a file itself is said here."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli

from healthd.config.findings import Document, Findings, Place


@dataclass(frozen=True, slots=True)
class Parsed:
    document: Document
    data: dict[str, Any]


def read(path: Path, findings: Findings) -> list[Parsed]:
    """Every file of the configuration at `path` that can be read and parsed, in order."""
    found = []
    for number, file in enumerate(_files(path, findings)):
        document = _document(number, file, findings)
        if document is not None and (data := _parse(document, findings)) is not None:
            found.append(Parsed(document, data))
    return found


def _files(path: Path, findings: Findings) -> list[Path]:
    whole = Place(Document(0, path))
    try:
        if not stat.S_ISDIR(path.stat().st_mode):
            return [path]
        # A name that begins with a dot is an editor's: a lock, a copy, a file half written.
        names = sorted(file.name for file in path.iterdir() if file.suffix == ".toml" and file.name[0] != ".")
    except FileNotFoundError:
        findings.error(whole, "does not exist; expected a TOML file or a folder with *.toml files")
        return []
    except (OSError, ValueError) as error:
        findings.error(whole, f"cannot be read: {reason(error)}")
        return []
    if not names:
        findings.error(whole, "no *.toml file in this folder; write one, or name another folder or file")
    return [path / name for name in names]


def _document(number: int, path: Path, findings: Findings) -> Document | None:
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        findings.error(Place(Document(number, path)), f"cannot be read: {reason(error)}")
        return None
    try:
        return Document(number, path, data.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        byte = error.object[error.start]
        place = Place(Document(number, path), at=line)
        findings.error(place, f"not UTF-8 text (byte 0x{byte:02x}); save the file in UTF-8")
        return None


def _parse(document: Document, findings: Findings) -> dict[str, Any] | None:
    try:
        return tomli.loads(document.text)
    except tomli.TOMLDecodeError as error:
        place = Place(document, at=error.lineno)
        findings.error(place, f"not valid TOML: {_in_our_words(error.msg)} (column {error.colno})")
    except RecursionError:
        findings.error(Place(document), "not valid TOML: tables or arrays are nested too deep")
    except ValueError as error:  # a number that Python will not read
        findings.error(Place(document), f"not valid TOML: {_lowered(str(error)).partition(';')[0]}")
    return None


def reason(error: Exception) -> str:
    """Why the operating system would not, in its own words, or what it is not even asked."""
    if isinstance(error, ValueError):
        return "a null byte is no part of a name"
    return (isinstance(error, OSError) and error.strerror) or str(error)


_CLEARER = {
    "Cannot overwrite a value": "this key, or this table, has a value already",
    "Invalid value": "not a TOML value; text has to stand in quotes",
    "Illegal character '\\n'": "the string has no closing quote in its line",
}


def _in_our_words(sentence: str) -> str:
    """What tomli says, where that is not clear enough in other words; a key in it as the user writes it."""
    clear = _CLEARER.get(sentence, _lowered(sentence))
    return re.sub(r"\('.*'\)", lambda found: ".".join(re.findall(r"'([^']*)'", found[0])), clear)


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
