"""What a request may carry: each parameter with its JSON Schema, and the reading of it, which never says otherwise."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checkers.base import show
from healthd.control.failures import Failed

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """`read` takes a value as JSON has it, and raises ValueError with what was expected.

    `text` makes such a value of one in a query.
    """

    schema: Schema
    read: Callable[[Any], Any]
    text: Callable[[str], Any] = str


@dataclass(frozen=True, slots=True)
class Param:
    name: str
    kind: Kind
    doc: str
    default: Any = None
    required: bool = False


def _string(value: object, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise ValueError(f"a string of at most {longest} characters")
    if any("\ud800" <= c <= "\udfff" for c in value):
        raise ValueError("a string of Unicode characters")
    return value


def text(longest: int) -> Kind:
    return Kind({"type": "string", "maxLength": longest}, lambda value: _string(value, longest))


def optional(kind: Kind) -> Kind:
    """Null too, which is the same as leaving it out."""
    schema = {**kind.schema, "type": [kind.schema["type"], "null"]}
    return Kind(schema, lambda value: None if value is None else kind.read(value), kind.text)


MOST_NAMES = 200
LONGEST_NAME = 200
_NAME = "[!-+\\--~]"  # something besides commas and spaces


def _name(value: object) -> str:
    name = _string(value, LONGEST_NAME)
    if not re.search(_NAME, name):
        raise ValueError('names such as "web/192.168.7.11:80"')
    return name


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_NAMES:
        raise ValueError(f"an array of one to {MOST_NAMES} strings")
    return tuple(map(_name, value))


NAMES = Kind(
    {
        "type": "array",
        "items": {"type": "string", "maxLength": LONGEST_NAME, "pattern": _NAME},
        "minItems": 1,
        "maxItems": MOST_NAMES,
        "examples": [["web/*"]],
    },
    _names,
)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")  # noqa: TRY004 - of the request, not of the program
    return value


FLAG = Kind(
    {"type": "boolean"}, _flag, lambda given: {"1": True, "true": True, "0": False, "false": False}.get(given, given)
)


def _number(value: object, low: float, high: float) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high:  # type: ignore[operator] # it is a number by then
        raise ValueError(f"a number from {low:g} to {high:g}")
    return float(value)  # type: ignore[arg-type] # likewise


def _as_number(given: str) -> object:
    try:
        return float(given) if given.isascii() and not given[:1].isspace() and "_" not in given else given
    except ValueError:
        return given


def number(low: float, high: float) -> Kind:
    schema = {"type": "number", "minimum": low, "maximum": high}
    return Kind(schema, lambda value: _number(value, low, high), _as_number)


def _count(value: object, low: int, high: int) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"a whole number from {low} to {high}")
    return value


def _as_count(given: str) -> object:
    digits = given.removeprefix("-")
    return int(given) if digits.isascii() and digits.isdecimal() and len(digits) < 20 else given


def count(low: int, high: int) -> Kind:
    schema = {"type": "integer", "minimum": low, "maximum": high}
    return Kind(schema, lambda value: _count(value, low, high), _as_count)


def _one_of(value: object, known: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"one of {', '.join(known)}")
    return value


def choice(known: Iterable[str]) -> Kind:
    names = tuple(known)
    return Kind({"type": "string", "enum": list(names)}, lambda value: _one_of(value, names))


def choices(known: Iterable[str]) -> Kind:
    """Several, in a query separated by commas."""
    names = tuple(known)
    schema = {"type": "array", "items": {"type": "string", "enum": list(names)}, "minItems": 1}
    return Kind(schema, lambda value: tuple(_one_of(each, names) for each in value), lambda given: given.split(","))


def from_query(params: Sequence[Param], query: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Every parameter's value by its name.

    Raises:
        Failed: with all that is wrong.
    """
    known = {param.name: param for param in params}
    given: dict[str, Any] = {}
    wrong: list[str] = []
    for name, value in query:
        if name in given:
            wrong.append(f"{name}: is given twice")
        given[name] = known[name].kind.text(value) if name in known else None
    return _read(known, given, wrong)


def from_body(params: Sequence[Param], body: bytes) -> dict[str, Any]:
    """Likewise, of a JSON object; no body at all is an empty one."""
    try:
        given = json.loads(body, parse_constant=_no_constant) if body else {}
    except (ValueError, RecursionError) as error:
        raise Failed("invalid", f"the body is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise Failed("invalid", "the body is not a JSON object")
    return _read({param.name: param for param in params}, given, [])


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _read(known: Mapping[str, Param], given: Mapping[str, Any], wrong: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {name: param.default for name, param in known.items()}
    wrong += [f"{name}: is missing" for name, param in known.items() if param.required and name not in given]
    for name, value in given.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known) or 'none'}"
            wrong.append(f"{show(name)}: is not known; {hint}")
            continue
        try:
            found[name] = known[name].kind.read(value)
        except ValueError as error:
            wrong.append(f"{name}: expected {error}")
    if wrong:
        raise Failed("invalid", *wrong)
    return found
