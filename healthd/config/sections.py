"""The tables of a configuration, gathered from all files, and the reading of one of them.

What is wrong in a table is said, and the rest of it is read as if the wrong keys were not there: so that one mistake
does not hide another. `broken` remembers them, so that nobody complains of their absence.
"""

from __future__ import annotations

import copy
import functools
import re
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from checkers.base import show
from healthd.config.documents import Parsed
from healthd.config.findings import Findings, Place
from healthd.config.messages import sentences
from healthd.config.positions import KeyPath
from healthd.config.words import described, unknown_key

SHARED = ("healthd", "defaults", "control", "history")
"""Tables whose keys may be spread over the files, each key in one of them."""
NAMED = ("check", "service", "alert")
"""Tables of tables; each of those stands whole in one file."""

_NAME = re.compile(r"\w[\w.-]{0,99}")

Table = TypeVar("Table")


@dataclass(frozen=True, slots=True)
class Section:
    """One table, and where it stands: each of its keys on its own where it is spread over files."""

    place: Place
    data: dict[str, Any] = field(default_factory=dict)
    spread: dict[str, Place] = field(default_factory=dict)

    def at(self, path: KeyPath) -> Place:
        if path and path[0] in self.spread:
            place = self.spread[str(path[0])]
            path = path[1:]
        else:
            place = self.place
        return functools.reduce(Place.__truediv__, path, place)


@dataclass(frozen=True, slots=True)
class Sections:
    shared: dict[str, Section]
    named: dict[str, dict[str, Section]]


def gather(files: list[Parsed], nowhere: Place, findings: Findings) -> Sections:
    """The tables of all files. `nowhere` is the place of tables that no file has."""
    shared = {name: Section(nowhere) for name in SHARED}
    named: dict[str, dict[str, Section]] = {name: {} for name in NAMED}
    for file in files:
        for key, value in file.data.items():
            place = Place(file.document, (key,))
            if key not in {*SHARED, *NAMED}:
                findings.error(place, unknown_key(key, (*SHARED, *NAMED)))
            elif not isinstance(value, dict):
                written = f"[{key}]" if key in SHARED else f"[{key}.NAME]"
                findings.error(place, f"expected a table, written {written}, not {described(value)}")
            elif key in SHARED:
                _spread(shared[key], value, place, findings)
            else:
                _name(named[key], value, place, findings)
    return Sections(shared, named)


def _spread(section: Section, table: dict[str, Any], place: Place, findings: Findings) -> None:
    for key, value in table.items():
        if key in section.data:
            findings.error(place / key, "is set already at ", section.spread[key], "; a key has one place")
        else:
            section.data[key] = value
            section.spread[key] = place / key


def _name(sections: dict[str, Section], tables: dict[str, Any], place: Place, findings: Findings) -> None:
    kind = place.key
    for name, table in tables.items():
        at = place / name
        if not _NAME.fullmatch(name):
            findings.error(at, f"{show(name)} is not a name: letters, digits, ., _ and -, at most 100")
        elif not isinstance(table, dict):
            findings.error(at, f"expected a table, written [{kind}.NAME], not {described(table)}")
        elif name in sections:
            findings.error(at, "is defined already at ", sections[name].place, "; it has to stand whole in one file")
        else:
            sections[name] = Section(at, table)


@dataclass(frozen=True, slots=True)
class Read(Generic[Table]):
    """A table without what is wrong in it; `broken` are the paths of that."""

    section: Section
    table: Table
    broken: frozenset[KeyPath] = frozenset()

    def sound(self, *path: str | int) -> bool:
        """Whether nothing was left out at `path` and below."""
        return not self.broken or not any(wrong[: len(path)] == path for wrong in self.broken)


def read(section: Section, model: type[Table], findings: Findings) -> Read[Table]:
    """The section as the TypedDict `model` has it."""
    adapter = adapter_of(model)
    try:
        return Read(section, adapter.validate_python(section.data))
    except ValidationError as error:
        found = sentences(error, model, section.data)
    for path, text in found:
        findings.error(section.at(path), text)
    broken = frozenset(_key_of(path) for path, _ in found)
    mended = copy.deepcopy(section.data)
    for path in broken:
        _without(mended, path)
    return Read(section, adapter.validate_python(mended), broken)


def adapter_of(model: type[Table]) -> TypeAdapter[Table]:
    key: Any = model
    adapter: TypeAdapter[Table] = _adapter(key)
    return adapter


@functools.cache
def _adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


def _key_of(path: KeyPath) -> KeyPath:
    """The path up to its last key: an element cannot be taken out of an array without moving the others."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    return path


def _without(data: Any, path: KeyPath) -> None:
    for part in path[:-1]:
        data = data.get(part) if isinstance(data, dict) else data[part]
        if data is None:  # something above it was wrong too, and is gone
            return
    if isinstance(data, dict):
        data.pop(path[-1], None)
