"""From the fields of a checker's dataclass to the validation of its options.

Types are taken at their word: an integer is not made of a string, nor a boolean of a number. Arrays become tuples.
A field without a default is a required key; one that is itself a dataclass is a table.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Required, Union, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, AllowInfNan, ConfigDict, PydanticUserError, Strict, TypeAdapter, with_config
from typing_extensions import TypedDict

from checkers.base import Checker
from checkers.combined import Combined
from healthd.config.addresses import Address
from healthd.config.parts import PartTables

_STRICT: Mapping[Any, Any] = {
    int: Annotated[int, Strict()],
    bool: Annotated[bool, Strict()],
    float: Annotated[float, Strict(), AllowInfNan(allow_inf_nan=False)],
}


class UnusableError(ValueError):
    """The fields of a checker cannot be filled from a configuration; the text is for its author."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one class of checkers. `secret` are those whose values are never shown."""

    model: Any
    adapter: TypeAdapter[dict[str, Any]]
    names: tuple[str, ...]
    secret: frozenset[str]


def options_of(checker: type[Checker]) -> Options:
    """The options that `checker` takes.

    Raises:
        UnusableError: a field has a type that nothing in a TOML file can be.

    """
    try:
        model = _model(checker)
        adapter = TypeAdapter(model)
    except (PydanticUserError, NameError, TypeError) as error:
        text = str(error).partition("\n")[0]
        raise UnusableError(f"{checker.__name__} has an option of a type that cannot be configured: {text}") from error
    fields = [field for field in dataclasses.fields(checker) if field.init]
    secret = frozenset(field.name for field in fields if not field.repr)
    return Options(model, adapter, tuple(field.name for field in fields), secret)


def _model(cls: Any) -> Any:
    """A TypedDict with the fields of a dataclass as its keys."""
    hints = get_type_hints(cls, include_extras=True)
    keys: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        if field.init:
            kind = _strict(hints[field.name])
            keys[field.name] = Required[kind] if _required(field) else kind
    if issubclass(cls, Checker):
        keys["address"] = Address
    if issubclass(cls, Combined):
        keys["part"] = Required[PartTables]
    create: Any = TypedDict  # made of what is known only now, which a type checker cannot follow
    return with_config(ConfigDict(extra="forbid"))(create(cls.__name__, keys, total=False))


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _strict(annotation: Any) -> Any:
    if annotation in _STRICT:
        return _STRICT[annotation]
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return Annotated[_model(annotation), AfterValidator(lambda given: annotation(**given))]
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in {Union, UnionType}:
        # TOML has no null: None is what an option is that was left out, and cannot be written.
        return Union[tuple(_strict(arg) for arg in args if arg is not NoneType)]  # noqa: UP007 - known only now
    if origin is Annotated:
        return Annotated[(_strict(args[0]), *annotation.__metadata__)]
    if origin is None or origin is Literal:
        return annotation
    return origin[tuple(_strict(arg) for arg in args)]
