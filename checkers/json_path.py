"""JSON from a server that may send anything, and the way to one value in it.

A path is a small part of RFC 9535: `$` is the whole value, `.name` and `['any name']` a member of an object, `[0]` an
element of an array and `[-1]` the last one.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Never

from checkers.base import show

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

LONGEST_JSON = 1 << 18
"""Bytes that a check may read as JSON."""

MOST_CONTAINERS = 1 << 13
"""Brackets that open an array or an object in it, one for every 32 bytes. They are what costs: a text of this length
made of nothing else takes some hundredths of a second to read, in which nothing else moves, and one within both bounds
some thousandths. Those within texts count too: telling them apart costs more than it is worth."""

MOST_SEPARATORS = 40_000
"""Commas and colons in it, which stand between values and after the names of members: names that are all different
take a third of a microsecond each. Those within texts count here too."""

LONGEST_PATH = 512

_STEP = re.compile(
    r"\.(?P<name>[A-Za-z_\u0080-\U0010ffff][0-9A-Za-z_\u0080-\U0010ffff]*)"
    r"|\[(?P<index>0|-?[1-9][0-9]{0,8})\]"
    r"|\['(?P<single>(?:[^'\\]|\\['\\])+)'\]"
    r'|\["(?P<double>(?:[^"\\]|\\["\\])+)"\]'
)
_ESCAPED = re.compile(r"\\(.)")


class AbsentError(LookupError):
    """There is no value at a path; the text says how far it led."""


@dataclass(frozen=True, slots=True)
class JsonPath:
    text: str
    steps: tuple[str | int, ...]

    @classmethod
    def parsed(cls, text: str) -> JsonPath:
        """The path that `text` is.

        Raises:
            ValueError: it is none; the message says where it goes wrong.

        """
        if not text.startswith("$") or len(text) > LONGEST_PATH:
            raise ValueError(f'must start with "$", as in "$.status", and have at most {LONGEST_PATH} characters')
        steps: list[str | int] = []
        position = 1
        while position < len(text):
            step = _STEP.match(text, position)
            if step is None:
                rest = text[position:]
                raise ValueError(f"""expected .name, ['any name'] or [0] where it says {show(rest)}""")
            steps.append(_meant(step))
            position = step.end()
        return cls(text, tuple(steps))

    def find(self, value: Json) -> Json:
        """The value at this path.

        Raises:
            AbsentError: there is none.

        """
        for number, step in enumerate(self.steps):
            at = _written(self.steps[:number])
            if isinstance(step, str):
                if not isinstance(value, dict):
                    raise AbsentError(f"{at} is {described(value)}, not an object")
                if step not in value:
                    raise AbsentError(f"{at} has no member {show(step)}, only {_members(value)}")
                value = value[step]
            else:
                if not isinstance(value, list):
                    raise AbsentError(f"{at} is {described(value)}, not an array")
                if not -len(value) <= step < len(value):
                    raise AbsentError(f"{at} has no element {step}, only {len(value)}")
                value = value[step]
        return value


def read_json(data: bytes | bytearray) -> Json:
    """The value that `data` is: JSON in UTF-8 (RFC 8259), a byte order mark passed over.

    Raises:
        ValueError: it is not, or has too many values or arrays and objects, also within each other; the text says so.

    """
    if data.count(b"[") + data.count(b"{") > MOST_CONTAINERS:
        raise ValueError(f"more than {MOST_CONTAINERS} arrays and objects")
    if data.count(b",") + data.count(b":") > MOST_SEPARATORS:
        raise ValueError(f"more than {MOST_SEPARATORS} commas and colons")
    try:
        value: Json = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from None
    except RecursionError:  # its parser counts how deep it is
        raise ValueError("too many arrays and objects within each other") from None
    return value


def described(value: Json) -> str:
    """The value with its type, for people: `"up"`, `5`, `true`, `an array of 3`."""
    match value:
        case None | bool():
            return json.dumps(value)
        case str():
            return show(value)
        case list():
            return f"an array of {len(value)}"
        case dict():
            return f"an object of {len(value)}"
    return show(repr(value)).strip('"')


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is no JSON")


def _meant(step: re.Match[str]) -> str | int:
    if step["index"] is not None:
        return int(step["index"])
    return step["name"] or _ESCAPED.sub(r"\1", step["single"] or step["double"])


def _written(steps: tuple[str | int, ...]) -> str:
    return show("$" + "".join(f".{step}" if isinstance(step, str) else f"[{step}]" for step in steps)).strip('"')


def _members(value: dict[str, Json]) -> str:
    shown = ", ".join(show(name, 20) for name in list(value)[:5])
    return (f"{shown} and {len(value) - 5} more" if len(value) > 5 else shown) or "none at all"
