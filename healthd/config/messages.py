"""From pydantic's errors to sentences for the user, each with the path of the key that it is about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from typing_extensions import is_typeddict

from checkers.base import OptionError
from healthd.config.fields import REFUSED
from healthd.config.positions import KeyPath
from healthd.config.words import described, meant, one_of, type_of, unknown_key

_EXPECTED: Mapping[str, str] = {
    "int_type": "an integer",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "a string",
    "path_type": "a string",
    "dict_type": "a table",
    "list_type": "an array",
    "tuple_type": "an array",
    "set_type": "an array",
    "frozen_set_type": "an array",
}
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'")


@dataclass(frozen=True, slots=True)
class Sentence:
    """`path` is that of the data below the validated table. `expected` texts of one path are joined into one."""

    path: KeyPath
    text: str
    expected: bool = False
    names: tuple[str, ...] = ()


def sentences(
    error: ValidationError,
    model: Any,
    data: Mapping[str, Any],
    *,
    secret: frozenset[str] = frozenset(),
    beside: tuple[str, ...] = (),
) -> list[tuple[KeyPath, str]]:
    """What `error` says of `data`, which is not what the TypedDict `model` wants.

    Values of `secret` keys are not shown; `beside` are keys of the same table that were not given to the model.
    """
    found = [_sentence(details, model, data, beside) for details in error.errors(include_url=False)]
    said = [(sentence.path, sentence.text) for sentence in found if not sentence.expected]
    alternatives: dict[KeyPath, list[Sentence]] = {}
    for sentence in found:
        if sentence.expected:
            alternatives.setdefault(sentence.path, []).append(sentence)
    for path, group in alternatives.items():
        # One form of several was tried and fits but for something inside it: that is what has to be mended.
        if not any(other.path[: len(path)] == path and len(other.path) > len(path) for other in found):
            said.append((path, _joined(group, _at(data, path), hidden=path[0] in secret)))
    return said


def _sentence(details: ErrorDetails, model: Any, data: Mapping[str, Any], beside: tuple[str, ...]) -> Sentence:
    kind = details["type"]
    path = tuple(_real(details["loc"], data))
    last = str(details["loc"][-1]) if details["loc"] else ""
    match kind:
        case "extra_forbidden":
            allowed = keys_at(model, path[:-1])
            return Sentence(path, unknown_key(last, allowed if path[:-1] else [*beside, *allowed]))
        case "missing":
            return Sentence(path, f'missing key "{last}"')
        case "value_error":
            return _of_exception(details.get("ctx", {}).get("error"), path, details["msg"])
        case "literal_error" | "enum":
            names = tuple(_QUOTED.findall(details.get("ctx", {}).get("expected", "")))
            return Sentence(path, one_of(names) if names else details["msg"], expected=True, names=names)
        case _ if kind in _EXPECTED:
            return Sentence(path, _EXPECTED[kind], expected=True)
        case _:
            return Sentence(path, details["msg"] if kind == REFUSED else f"cannot be used: {details['msg']}")


def _of_exception(error: object, path: KeyPath, message: str) -> Sentence:
    if isinstance(error, OptionError):
        return Sentence((*path, error.option), str(error))
    return Sentence(path, str(error) if isinstance(error, Exception) else message)


def _real(loc: KeyPath, data: Any) -> Iterator[str | int]:
    """`loc` without the names that pydantic gives to the members of a union, and without a key that is not there."""
    for part in loc:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            continue
        yield part


def _at(data: Any, path: KeyPath) -> object:
    for part in path:
        data = data[part]
    found: object = data
    return found


def _joined(group: list[Sentence], value: object, *, hidden: bool) -> str:
    wanted = " or ".join(dict.fromkeys(sentence.text for sentence in group))
    if hidden:
        return f"expected {wanted}, not {type_of(value)}"
    if isinstance(value, dict) and "an array" in wanted:
        return f"expected {wanted}, not a table; elements that are tables are written [[...]]"
    if not isinstance(value, str):
        return f"expected {wanted}, not {described(value)}"
    names = [name for sentence in group for name in sentence.names]
    if names:
        return f"expected {wanted}, not {described(value).removesuffix(' (a string)')}{meant(value, names)}"
    return f"expected {wanted}, not {described(value)}"


def keys_at(model: Any, path: KeyPath) -> list[str]:
    """The keys that the TypedDict `model` allows in its table at `path`."""
    for part in path:
        inner = _table_in(get_type_hints(model).get(str(part)))
        model = inner or model
    return list(get_type_hints(model))


def _table_in(annotation: Any) -> Any:
    """The TypedDict that an annotation is made of, if there is one."""
    if is_typeddict(annotation):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _table_in(arg)) is not None), None)
