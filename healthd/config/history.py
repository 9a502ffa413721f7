"""From the table [history] to what is kept of the past, where, and for how long."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict  # pydantic takes the one of typing from Python 3.12 on

from checkers.base import show
from healthd.config.fields import OFF, Written, duration, path_of, refuse
from healthd.config.findings import Findings, Place
from healthd.config.sections import Section, read
from healthd.config.values import HistoryConfig
from healthd.config.words import described

FILE = "history.db"
_SIZE = re.compile(r"([0-9]{1,6})(MB|GB)")
_UNITS = {"MB": 10**6, "GB": 10**9}
_MOST = 10**12


def _size(value: object) -> int:
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        refuse(f'expected a size such as "200MB" or "2GB", not {described(value)}')
    size = int(match[1]) * _UNITS[match[2]]
    if not 10**6 <= size <= _MOST:
        refuse(f'must be from "1MB" to "1000GB", not {show(str(value))}')
    return size


def _file(value: object) -> Path | None:
    return None if value == OFF else path_of(value)


_FILE_SCHEMA = {"type": "string", "minLength": 1}
_SIZE_SCHEMA = {"type": "string", "pattern": f"^{_SIZE.pattern}$", "examples": ["200MB", "2GB"]}
_Kept = Annotated[float, duration(3600.0, 3660 * 86400.0)]


def _doc(text: str) -> Any:
    return Field(description=text)


@with_config(ConfigDict(extra="forbid"))
class HistoryTable(TypedDict, total=False):
    file: Annotated[
        Path | None,
        Written(_file, _FILE_SCHEMA),
        _doc('The file; history.db in state_dir unless given, "off" for none.'),
    ]
    keep_events: Annotated[_Kept, _doc("For how long events are kept: transitions, edits, acts of operators, alerts.")]
    keep_minutes: Annotated[_Kept, _doc("For how long the times that checks took are kept minute by minute.")]
    keep_hours: Annotated[_Kept, _doc("For how long they are kept hour by hour.")]
    keep_days: Annotated[_Kept, _doc("For how long they are kept day by day.")]
    max_size: Annotated[
        int, Written(_size, _SIZE_SCHEMA), _doc("The size of the file, beyond which the oldest goes before its time.")
    ]


def history(section: Section, state_dir: Path, findings: Findings) -> HistoryConfig:
    """What the table says; of use only if `findings` has no error."""
    table = dict(read(section, HistoryTable, findings).table)
    if table.get("file") is not None:
        _look(section.at(("file",)), Path(str(table["file"])), findings)
    return HistoryConfig(**{"file": state_dir / FILE, **table})  # type: ignore[arg-type]  # the model has checked them


def _look(place: Place, file: Path, findings: Findings) -> None:
    if file.is_dir():
        findings.error(place, f"{show(str(file), 4096)} is a folder; expected the path of a file in it")
    elif not file.parent.is_dir():
        findings.warn(place, f"there is no folder {show(str(file.parent), 4096)}, and healthd does not make it")
