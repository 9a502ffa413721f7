"""Words for messages: a value and its type as TOML knows them, a choice, the name that was probably meant."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable, Sequence

from checkers.base import show

_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),  # before int, of which it is a kind
    (int, "an integer"),
    (float, "a number"),
    (str, "a string"),
    (dict, "a table"),
    (list, "an array"),
    (dt.datetime, "a date and time"),
    (dt.date, "a date"),
    (dt.time, "a time"),
)


def type_of(value: object) -> str:
    return next((words for kind, words in _TYPES if isinstance(value, kind)), type(value).__name__)


def described(value: object) -> str:
    """`"80" (a string)`, `5 (an integer)`, `a table`."""
    match value:
        case bool():
            return f"{str(value).lower()} (a boolean)"
        case int() if value.bit_length() > 64:  # Python refuses to print the longest
            return "an integer of more than 64 bits"
        case str():
            return f"{show(value)} (a string)"
        case []:
            return "an empty array"
        case dict() | list():
            return type_of(value)
        case _:
            return f"{value} ({type_of(value)})"


def number(value: int) -> str:
    return str(value) if value.bit_length() <= 64 else "a number of more than 64 bits"


def one_of(names: Iterable[str]) -> str:
    """`"up" or "down"`; `one of "a", "b" or "c"`."""
    quoted = [show(name) for name in names]
    if len(quoted) < 2:
        return "".join(quoted)
    listed = f"{', '.join(quoted[:-1])} or {quoted[-1]}"
    return listed if len(quoted) == 2 else f"one of {listed}"


def meant(name: str, known: Iterable[str]) -> str:
    """`; did you mean "port"?`, or nothing where no known name is near."""
    names = list(known)
    near = [each for each in names if each.startswith(f"{name}_")] or difflib.get_close_matches(name, names, 1)
    return f"; did you mean {show(near[0])}?" if near else ""


def unknown_key(name: str, allowed: Sequence[str]) -> str:
    """What to say of a key that is not among the `allowed` ones."""
    return "unknown key" + (meant(name, allowed) or f"; allowed here: {', '.join(sorted(allowed))}")


def unknown_name(what: str, name: str, known: Sequence[str], otherwise: str) -> str:
    """What to say of a reference to something that does not exist; `otherwise` where no name is near."""
    return f"no {what} named {show(name)}" + (meant(name, known) or f"; {otherwise}")


def seconds_as_text(seconds: float) -> str:
    """As it would be written: `500ms`, `5s`, `90s`, `2h`."""
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds * 1000:g}ms" if seconds < 1 else f"{seconds:g}s"
