"""How it is written what becomes of the weights that servers ask for, and from when on an answer is slow."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

from healthd.config.fields import OFF, Written, duration, refuse
from healthd.config.words import described, number
from healthd.model import MAX_WEIGHT
from healthd.weights import Step

_PERCENT = re.compile(r"([0-9]{1,3})%")
_DURATION = duration(0.001)


def _percent(value: object, expected: str) -> int:
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        refuse(f"expected {expected}, not {described(value)}")
    if int(match[1]) > 100:
        refuse(f'must be from "0%" to "100%", not "{value}"')
    return int(match[1])


def _factor(value: object) -> float:
    return _percent(value, 'a share of the configured weight such as "50%"') / 100


def _step(value: object) -> Step:
    if type(value) is int:
        if not 0 <= value <= MAX_WEIGHT:
            refuse(f"must be from 0 to {MAX_WEIGHT}, not {number(value)}")
        return Step(value)
    wanted = 'a whole number such as 5, or a share of the configured weight such as "5%"'
    return Step(_percent(value, wanted), percent=True)


def _slow(value: object) -> float:
    seconds: float = math.inf if value == OFF else _DURATION.read(value)
    return seconds


_SCHEMA: dict[str, Any] = {"type": "string", "pattern": "^[0-9]{1,3}%$", "examples": ["50%"]}

FactorText = Annotated[float, Written(_factor, _SCHEMA)]
"""From 0.0 to 1.0."""
StepText = Annotated[
    Step, Written(_step, {"anyOf": [{"type": "integer", "minimum": 0, "maximum": MAX_WEIGHT}, _SCHEMA]})
]
SlowText = Annotated[float, Written(_slow, {"anyOf": [{"const": OFF}, _DURATION.schema]})]
"""Seconds, without end where it is switched off."""
