"""The kinds of value in a configuration: how each is written, and what is said when it is not.

Each is a type for pydantic with its JSON Schema. A refusal leaves as the whole sentence that the user reads.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_plain_validator_function

from checkers.base import show
from checkers.credentials import located
from healthd.config.words import described, meant, number, one_of, seconds_as_text
from healthd.model import Threshold

REFUSED = "healthd"
"""The type of the errors raised here: their text is final."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)")
_MONTH = 31 * 86400.0
"""The longest time the kernel's IPVS takes, and longer than anything here makes sense."""

_MAIL_WORD = r"[!#-'*+./0-9=?A-Z^-~-]+"  # ASCII without what has a meaning in a header
_MAIL_ADDRESS = re.compile(f"{_MAIL_WORD}(@{_MAIL_WORD})?")
_THRESHOLD = re.compile(r"([0-9]{1,3})/([0-9]{1,3})")


def refuse(text: str) -> NoReturn:
    """Ends the validation of a value with `text`.

    Raises:
        PydanticCustomError: always.

    """
    raise PydanticCustomError(REFUSED, "{text}", {"text": text})


@dataclass(frozen=True, slots=True)
class Written:
    """Goes into `Annotated`: `read` turns what is written into the value that it stands for."""

    read: Callable[[Any], Any]
    schema: dict[str, Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return dict(self.schema)


def _duration(value: object, least: float, most: float, *, whole: bool = False) -> float:
    example = 'a duration such as "5s", "500ms" or "2m"'
    if not isinstance(value, str):
        hint = f'; did you mean "{value}s"?' if type(value) is int and 0 <= value < 10**9 else ""
        refuse(f"expected {example}, not {described(value)}{hint}")
    match = _DURATION.fullmatch(value.removeprefix("-"))
    if match is None:
        unitless = re.fullmatch(r"[0-9]{1,9}", value)
        hint = f'; did you mean "{value}s"?' if unitless else "; the units are ms, s, m, h and d"
        refuse(f"expected {example}, not {show(value)}{hint}")
    seconds = float(match[1]) * _UNITS[match[2]]
    if value.startswith("-") or not least <= seconds <= most:
        refuse(f'must be from "{seconds_as_text(least)}" to "{seconds_as_text(most)}", not {show(value)}')
    if whole and not seconds.is_integer():
        refuse(f"must be in whole seconds, not {show(value)}: the kernel knows no smaller unit here")
    return seconds


def duration(least: float, most: float = _MONTH, *, whole: bool = False) -> Written:
    """A time of at least `least` and at most `most` seconds."""
    schema = {"type": "string", "pattern": f"^{_DURATION.pattern}$", "examples": ["500ms", "5s", "2m"]}
    return Written(functools.partial(_duration, least=least, most=most, whole=whole), schema)


Duration = Annotated[float, duration(0.001)]
"""Seconds, more than none."""
DurationOrZero = Annotated[float, duration(0.0)]

OFF = "off"
"""Written where something inherited from [defaults] is not wanted."""


def _persistence(value: object) -> int | None:
    return None if value == OFF else int(_duration(value, 1.0, _MONTH, whole=True))


Persistence = Annotated[int | None, Written(_persistence, {"anyOf": [{"const": OFF}, duration(1.0).schema]})]
"""Whole seconds; None when it is switched off."""


def _whole(value: object, low: int, high: int) -> int:
    if type(value) is not int:
        refuse(f"expected a whole number from {low} to {high}, not {described(value)}")
    if not low <= value <= high:
        refuse(f"must be from {low} to {high}, not {number(value)}")
    return value


def whole(low: int, high: int) -> Written:
    """A whole number within bounds that belong to the range."""
    schema = {"type": "integer", "minimum": low, "maximum": high}
    return Written(functools.partial(_whole, low=low, high=high), schema)


def _threshold(value: object) -> Threshold:
    if type(value) is int:
        count = window = _whole(value, 1, 100)
    elif isinstance(value, str) and (match := _THRESHOLD.fullmatch(value)):
        count, window = int(match[1]), int(match[2])
    else:
        refuse(f'expected a number such as 3, or "3/5" for three of the last five, not {described(value)}')
    if not 1 <= count <= window <= 100:
        refuse(f'"{value}": N of M needs 1 <= N <= M <= 100')
    return Threshold(count, window)


ThresholdText = Annotated[
    Threshold,
    Written(
        _threshold,
        {"anyOf": [whole(1, 100).schema, {"type": "string", "pattern": f"^{_THRESHOLD.pattern}$"}]},
    ),
]


def _choice(value: object, known: Mapping[str, Any]) -> Any:
    if not isinstance(value, str):
        refuse(f"expected {one_of(known)}, not {described(value)}")
    if value not in known:
        refuse(f"expected {one_of(known)}, not {show(value)}{meant(value, known)}")
    return known[value]


def choice(known: Iterable[str]) -> Written:
    """One of the names; the members of a StrEnum stand for themselves."""
    names = {str(name): name for name in known}
    return Written(functools.partial(_choice, known=names), {"enum": list(names)})


def _choices(value: object, known: Mapping[str, Any], what: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        refuse(f"expected an array of {what}, not {described(value)}")
    return tuple(dict.fromkeys(_choice(item, known) for item in value))


def choices(known: Iterable[str], what: str) -> Written:
    """An array of the names, each once in the result."""
    names = {str(name): name for name in known}
    schema = {"type": "array", "items": {"enum": list(names)}}
    return Written(functools.partial(_choices, known=names, what=what), schema)


def path_of(value: object) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        refuse(f"expected the path of a file or folder, not {described(value)}")
    return Path(value)


PathText = Annotated[Path, Written(path_of, {"type": "string"})]
"""Taken as it stands: a relative one is relative to the working directory of healthd."""


def _file(value: object) -> Path:
    path = path_of(value)
    try:
        return Path(located(str(path)))
    except ValueError as error:
        refuse(str(error))


FileText = Annotated[Path, Written(_file, {"type": "string"})]
"""A file to read; `credential:NAME` is the one that systemd passes on under that name."""


def _word(value: object, example: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]+", value):
        refuse(f"expected {example}, not {described(value)}")
    return value


def word(example: str) -> Written:
    """ASCII without spaces. `example` says what of, and shows one."""
    return Written(functools.partial(_word, example=example), {"type": "string"})


def _mail_address(value: object) -> str:
    if not isinstance(value, str) or not _MAIL_ADDRESS.fullmatch(value):
        refuse(f'expected a mail address such as "ops@example.com", not {described(value)}')
    return value


def _mail_addresses(value: object) -> tuple[str, ...]:
    found = tuple(_mail_address(item) for item in (value if isinstance(value, list) else [value]))
    if not found:
        refuse("names nobody; expected one mail address or an array of them")
    return found


_MAIL_SCHEMA: dict[str, Any] = {"type": "string", "examples": ["ops@example.com"]}
MailAddress = Annotated[str, Written(_mail_address, _MAIL_SCHEMA)]
MailAddresses = Annotated[
    tuple[str, ...],
    Written(_mail_addresses, {"anyOf": [_MAIL_SCHEMA, {"type": "array", "items": _MAIL_SCHEMA, "minItems": 1}]}),
]


def _argv(value: object) -> tuple[str, ...]:
    example = '["/usr/local/bin/tell-someone", "--quietly"]'
    if not isinstance(value, list) or not value:
        refuse(f"expected a program and its arguments such as {example}, not {described(value)}")
    for item in value:
        if not isinstance(item, str):
            refuse(f"expected strings such as {example}, not {described(item)} among them")
    if not value[0].startswith("/"):
        refuse(f"the program must have an absolute path, not {show(value[0])}; there is no shell to look it up")
    if any("\0" in item for item in value):
        refuse("an argument cannot hold a NUL character")
    return tuple(value)


Argv = Annotated[tuple[str, ...], Written(_argv, {"type": "array", "items": {"type": "string"}, "minItems": 1})]


def _patterns(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        refuse(f'expected an array of service names or patterns such as ["web-*"], not {described(value)}')
    for item in value:
        if not isinstance(item, str):
            refuse(f'expected service names or patterns such as ["web-*"], not {described(item)} among them')
    return tuple(value)


Patterns = Annotated[tuple[str, ...], Written(_patterns, {"type": "array", "items": {"type": "string"}, "minItems": 1})]
