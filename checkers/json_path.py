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

DEEPEST = 64
"""Arrays and objects within each other. No health page comes near it, and a parser that recurses never goes deeper."""

LONGEST_JSON = 1 << 18
"""Bytes that a check may read as JSON. Hostile ones take some hundredths of a second, in which nothing else moves."""

LONGEST_PATH = 512

_STEP = re.compile(
    r"\.(?P<name>[A-Za-z_\u0080-\U0010ffff][0-9A-Za-z_\u0080-\U0010ffff]*)"
    r"|\[(?P<index>0|-?[1-9][0-9]{0,8})\]"
    r"|\['(?P<single>(?:[^'\\]|\\['\\])+)'\]"
    r'|\["(?P<double>(?:[^"\\]|\\["\\])+)"\]'
)
_ESCAPED = re.compile(r"\\(.)")
# A string, closed or not, is taken whole, so that brackets in it do not count, and a quote is looked at once.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\Z)', re.DOTALL)
_AS_SQUARE = bytes.maketrans(b"{}", b"[]")
_TOO_MANY = b"[" * (DEEPEST + 1)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


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
        ValueError: it is not, or is nested too deeply; the text says where.

    """
    if _is_too_deep(data):
        raise ValueError(f"nested deeper than {DEEPEST}")
    try:
        value: Json = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from None
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


def _is_too_deep(data: bytes | bytearray) -> bool:
    """Whether more than `DEEPEST` arrays and objects may be open at once.

    Each turn takes away the innermost pairs of brackets, all at once, so hostile nesting costs no more than flat text.
    """
    if data.count(b"[") + data.count(b"{") <= DEEPEST:
        return False
    brackets = _STRING.sub(b"", data).translate(_AS_SQUARE, delete=_NO_BRACKETS)
    for _ in range(DEEPEST):
        if _TOO_MANY in brackets:
            return True
        before = len(brackets)
        brackets = brackets.replace(b"[]", b"")
        if len(brackets) == before:
            break
    return b"[]" in brackets or brackets.count(b"[") > DEEPEST


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
