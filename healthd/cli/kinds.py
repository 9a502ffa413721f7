"""Kinds of check for `healthd probe`: the class that a word names, and a checker from `-o key=value`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time
from pathlib import Path
from typing import Any

import click
import tomli
from pydantic import ValidationError

from checkers.base import Checker, OptionError
from checkers.combined import Combined
from checkers.part import Part
from checkers.registry import PluginError, find
from healthd.config.messages import sentences
from healthd.config.options import Options, UnusableError, options_of
from healthd.config.parts import BESIDE_PART, weight_of
from healthd.config.positions import KeyPath

_NOT_AN_OPTION = (date, time)
"""What TOML makes of 2026-01-01 and 12:30; no checker has an option of these types, so they are text."""


def found(kind: str, plugin_dir: Path | None, where: str = "") -> tuple[type[Checker], Options]:
    """The checker that `kind` names, and its options; a UsageError, which begins with `where`, if there is none."""
    try:
        checker = find(kind, plugin_dir)
        return checker, options_of(checker)
    except (PluginError, UnusableError) as error:
        raise click.UsageError(f"{where}{error}") from error


def made(checker: type[Checker], options: Options, given: Iterable[str], plugin_dir: Path | None = None) -> Checker:
    """The checker with the options `key=value` of the command line; `plugin_dir` is for the kinds of parts.

    Raises:
        UsageError: one line for each option that will not do.

    """
    texts: dict[str, str] = {}
    for item in given:
        key, text = _split(item)
        if key in texts:
            raise click.UsageError(f"-o {key}: given twice; which of the two is meant?")
        texts[key] = text
    values = {key: _value(text) for key, text in texts.items()}
    try:
        validated = _validated(options, values, texts)
        if issubclass(checker, Combined):
            tables = enumerate(validated["part"])
            validated["part"] = tuple(_part(table, f"-o part.{number}", plugin_dir) for number, table in tables)
        return checker(**validated)
    except ValidationError as error:
        said = sentences(error, options.model, values, secret=options.secret)
    except OptionError as error:
        said = [((error.option,), str(error))]
    raise click.UsageError("\n".join(_sentence("-o ", path, text) for path, text in said))


def _sentence(before: str, path: KeyPath, text: str) -> str:
    """A complaint about the option at `path`, or, where that is none, about what is missing beside the others.

    Of the kind itself, which is not among the options, it is a library that is missing.
    """
    if path == ("type",) and before == "-o ":
        return text
    return f"{before}{'.'.join(map(str, path))}: {text}" if path else f"{before.rstrip('. ')}: {text}"


def _part(table: dict[str, Any], where: str, plugin_dir: Path | None) -> Part:
    given = {key: value for key, value in table.items() if key not in BESIDE_PART}
    try:
        kind = str(table["type"])
        checker, options = found(kind, plugin_dir, f"{where}.type: ")
        values = options.adapter.validate_python(given)
        if issubclass(checker, Combined):
            parts = enumerate(values["part"])
            values["part"] = tuple(_part(part, f"{where}.part.{number}", plugin_dir) for number, part in parts)
        return Part(kind=kind, checker=checker(**values), weight=weight_of(table.get("weight", 1)))
    except KeyError:
        said: list[tuple[KeyPath, str]] = [(("type",), 'missing; expected a kind such as "tcp"')]
    except ValidationError as error:
        said = sentences(error, options.model, given, secret=options.secret, beside=BESIDE_PART)
    except OptionError as error:
        said = [((error.option,), str(error))]
    except ValueError as error:
        said = [(("weight",), str(error))]
    raise click.UsageError("\n".join(_sentence(f"{where}.", path, text) for path, text in said))


def _split(item: str) -> tuple[str, str]:
    key, equals, text = item.partition("=")
    if not equals or not key.strip():
        raise click.UsageError(f'-o "{item}": expected key=value, as in -o path=/health')
    if not item.isascii() and any("\ud800" <= letter <= "\udfff" for letter in item):
        raise click.UsageError(f"-o {key.strip()}: is not UTF-8, as every text of a configuration has to be")
    return key.strip(), text


def _value(text: str) -> Any:
    """What TOML reads in it, as in a configuration; the text itself where it is not TOML."""
    try:
        read = tomli.loads(f"value = {text}")
    except tomli.TOMLDecodeError:
        return text
    plain = read.keys() == {"value"} and not isinstance(read["value"], _NOT_AN_OPTION)
    return read["value"] if plain else text


def _validated(options: Options, values: dict[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    """A shell takes quotes away, so `-o status=200` may mean the text "200": what does not fit is tried as text."""
    validated = options.adapter.validate_python
    try:
        return validated(values)
    except ValidationError as error:
        misfits = _misfits(error) & texts.keys()
    try:
        return validated(values | {key: texts[key] for key in misfits})
    except ValidationError as error:
        fitting = misfits - _misfits(error)
    return validated(values | {key: texts[key] for key in fitting})  # what fits neither way is complained of as it was


def _misfits(error: ValidationError) -> set[str]:
    return {str(details["loc"][0]) for details in error.errors() if details["loc"]}
