"""A number of servers, or a share of all that a service has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from healthd.config.fields import Written, refuse
from healthd.config.words import described, number

_PERCENT = re.compile(r"([0-9]{1,3})%")
_MOST = 2**16
"""More servers than one service can have with all addresses of a /16."""


@dataclass(frozen=True, slots=True)
class Share:
    value: int
    percent: bool = False

    def of(self, servers: int) -> int:
        """So many of `servers`; a share is rounded up."""
        return -(-servers * self.value // 100) if self.percent else self.value

    def __str__(self) -> str:
        return f"{self.value}%" if self.percent else str(self.value)


def _share(value: object) -> Share:
    if type(value) is int:
        if not 0 <= value <= _MOST:
            refuse(f"must be from 0 to {_MOST}, not {number(value)}")
        return Share(value)
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        refuse(
            f'expected a whole number of servers such as 2, or a share of them such as "50%", not {described(value)}'
        )
    if int(match[1]) > 100:
        refuse(f'must be from "0%" to "100%", not "{value}"')
    return Share(int(match[1]), percent=True)


ShareText = Annotated[
    Share,
    Written(
        _share,
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": _MOST},
                {"type": "string", "pattern": "^[0-9]{1,3}%$"},
            ]
        },
    ),
]
