"""Kinds of check for `healthd probe`: the list of them, their options for people, a checker from `-o key=value`."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterable, Iterator
from datetime import date, time
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import click
import tomli
from pydantic import ValidationError

from checkers.base import Checker, OptionError
from checkers.registry import PluginError, find, kinds, summary
from healthd.config.messages import sentences
from healthd.config.options import Options, UnusableError, options_of

_NOT_AN_OPTION = (date, time)
"""What TOML makes of 2026-01-01 and 12:30; no checker has an option of these types, so they are text."""


def found(kind: str, plugin_dir: Path | None) -> tuple[type[Checker], Options]:
    """The checker that `kind` names, and its options; a UsageError where there is none."""
    try:
        checker = find(kind, plugin_dir)
        return checker, options_of(checker)
    except (PluginError, UnusableError) as error:
        raise click.UsageError(str(error)) from error


def listed() -> list[tuple[str, str]]:
    """Every kind that has a name, with its summary."""
    return [(name, summary(checker)) for name, checker in kinds().items()]


def made(checker: type[Checker], options: Options, given: Iterable[str]) -> Checker:
    """The checker with the options `key=value` of the command line.

    Raises:
        UsageError: one line for each option that will not do.

    """
    texts = dict(_split(item) for item in given)
    values = {key: _value(text) for key, text in texts.items()}
    try:
        return checker(**_validated(options, values, texts))
    except ValidationError as error:
        said = sentences(error, options.model, values, secret=options.secret)
    except OptionError as error:
        said = [((error.option,), str(error))]
    raise click.UsageError("\n".join(f"-o {'.'.join(map(str, path))}: {text}" for path, text in said))


def _split(item: str) -> tuple[str, str]:
    key, equals, text = item.partition("=")
    if not equals or not key.strip():
        raise click.UsageError(f'-o "{item}": expected key=value, as in -o path=/health')
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
    try:
        return options.adapter.validate_python(values)
    except ValidationError as error:
        misfits = {str(details["loc"][0]) for details in error.errors() if details["loc"]} & texts.keys()
        try:
            return options.adapter.validate_python(values | {key: texts[key] for key in misfits})
        except ValidationError:
            raise error from None


def option_rows(checker: type[Checker]) -> Iterator[tuple[str, str, str]]:
    """Name, type and default of every option, the checker's own before the common ones."""
    hints = get_type_hints(checker)
    common = {field.name for field in dataclasses.fields(Checker)}
    fields = [field for field in dataclasses.fields(checker) if field.init]
    for field in sorted(fields, key=lambda field: field.name in common):
        yield field.name, _type_name(hints[field.name]), _default(field)


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        return "" if field.default is None else _as_toml(field.default)
    if field.default_factory is not dataclasses.MISSING:
        return _as_toml(field.default_factory())
    return "(required)"


def _as_toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case tuple() | list():
            return "[" + ", ".join(map(_as_toml, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{key} = {_as_toml(item)}" for key, item in value.items()) + "}"
        case _:
            return str(value)


_WORDS = {str: "string", int: "integer", float: "number", bool: "true or false", Path: "path"}


def _type_name(annotation: Any) -> str:
    """A type in the words of the configuration; an option that may be left out is said so by its empty default."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(_as_toml(value) for value in arguments)
    if origin in {Union, types.UnionType}:
        return " | ".join(_type_name(member) for member in arguments if member is not types.NoneType)
    if origin is tuple:
        return f"array of {_type_name(arguments[0])}"
    if origin is dict:
        return f"table of {_type_name(arguments[1])}"
    if dataclasses.is_dataclass(annotation):
        return "table: " + ", ".join(field.name for field in dataclasses.fields(annotation))
    return _WORDS.get(annotation, getattr(annotation, "__name__", str(annotation)))
