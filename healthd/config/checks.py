"""From a table of a check to a checker with the times it runs at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_type_hints

from pydantic import ValidationError

from checkers.base import Checker, OptionError
from checkers.combined import Combined
from checkers.part import Part
from checkers.push import Push
from checkers.registry import PluginError, find
from healthd.config.findings import Findings, Place
from healthd.config.messages import sentences
from healthd.config.models import Timing
from healthd.config.options import Options, UnusableError, options_of
from healthd.config.parts import BESIDE_PART, weight_of
from healthd.config.positions import KeyPath
from healthd.config.sections import Section, adapter_of
from healthd.config.words import described

TIMING = tuple(get_type_hints(Timing))
BESIDE = ("type", *TIMING)
"""The keys of a check's table that are not options of its kind."""


@dataclass(frozen=True, slots=True)
class Check:
    """A checker as the configuration describes it. `timing` is only what its own table says."""

    place: Place
    kind: str
    checker: Checker
    timing: Timing


@dataclass(frozen=True, slots=True)
class _Kind:
    checker: type[Checker]
    options: Options


class CheckReader:
    """Reads tables of checks. What it learns of a kind it keeps, since many services use few kinds."""

    def __init__(self, plugin_dir: Path, findings: Findings) -> None:
        self._plugin_dir = plugin_dir
        self._findings = findings
        self._kinds: dict[str, _Kind | str] = {}

    def read(self, section: Section) -> Check | None:
        """The check, or None where something is wrong, which has then been said."""
        timing = self._timing(section)
        kind = self._kind(section)
        checker = None if kind is None else self._checker(section, kind)
        if checker is None or timing is None:
            return None
        return Check(section.place, section.data["type"], checker, timing)

    def _timing(self, section: Section) -> Timing | None:
        given = {key: section.data[key] for key in TIMING if key in section.data}
        try:
            timing: Timing = adapter_of(Timing).validate_python(given)
        except ValidationError as error:
            self._complain(section, sentences(error, Timing, given))
            return None
        return timing

    def _kind(self, section: Section) -> _Kind | None:
        if "type" not in section.data:
            self._findings.error(
                section.place, 'missing key "type"; expected a kind such as "http", see `healthd probe --list`'
            )
            return None
        name = section.data["type"]
        if not isinstance(name, str):
            self._findings.error(section.at(("type",)), f'expected a kind such as "http", not {described(name)}')
            return None
        if name not in self._kinds:
            self._kinds[name] = self._find(name)
        kind = self._kinds[name]
        if isinstance(kind, str):
            self._findings.error(section.at(("type",)), kind)
            return None
        return kind

    def _find(self, name: str) -> _Kind | str:
        try:
            checker = find(name, self._plugin_dir)
            return _Kind(checker, options_of(checker))
        except (PluginError, UnusableError) as error:
            return str(error)

    def _checker(self, section: Section, kind: _Kind, beside: tuple[str, ...] = BESIDE) -> Checker | None:
        given = {key: value for key, value in section.data.items() if key not in beside}
        options = kind.options
        try:
            values = options.adapter.validate_python(given)
            if issubclass(kind.checker, Combined):
                parts = [self._part(Section(section.at(("part", n)), table)) for n, table in enumerate(values["part"])]
                values["part"] = known = tuple(part for part in parts if part is not None)
                if len(known) < len(parts):
                    return None
            return kind.checker(**values)
        except ValidationError as error:
            self._complain(section, sentences(error, options.model, given, secret=options.secret, beside=beside))
        except OptionError as error:
            self._findings.error(section.at((error.option,)), str(error))
        except Exception as error:  # noqa: BLE001 - a plugin's own code: anything can come out of it
            self._findings.error(section.place, f"{kind.checker.__name__} refuses it: {type(error).__name__}: {error}")
        return None

    def _part(self, section: Section) -> Part | None:
        """One of the questions of a combined check, or None where something is wrong, which has then been said."""
        kind = self._kind(section)
        checker = None if kind is None else self._checker(section, kind, BESIDE_PART)
        try:
            weight = weight_of(section.data.get("weight", 1))
        except ValueError as error:
            self._findings.error(section.at(("weight",)), str(error))
            return None
        if isinstance(checker, Push):
            self._findings.error(section.at(("type",)), "reports cannot be a part of another check")
            return None
        return None if checker is None else Part(kind=section.data["type"], checker=checker, weight=weight)

    def _complain(self, section: Section, said: list[tuple[KeyPath, str]]) -> None:
        for path, text in said:
            self._findings.error(section.at(path), text)
