"""Numbers in a range, as types of options: what was expected is said in words."""

from __future__ import annotations

import re
from typing import Any

import click

_WHOLE = re.compile(r"[0-9]{1,12}")
_DECIMAL = re.compile(r"([0-9]{1,12}(?:\.[0-9]{0,12})?)s?")


class Count(click.ParamType[int]):
    name = "count"

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value)
        if not _WHOLE.fullmatch(text) or not self._least <= int(text) <= self._most:
            self.fail(f'expected a whole number from {self._least} to {self._most}, not "{text}"', param, ctx)
        return int(text)


class Seconds(click.ParamType[float]):
    """`2`, `0.5` or `2s`. `hint` is added to what is said of anything else."""

    name = "seconds"

    def __init__(self, least: float, most: float, hint: str = "") -> None:
        self._least, self._most, self._hint = least, most, hint

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        text = str(value)
        found = _DECIMAL.fullmatch(text)
        if not found or not self._least <= float(found[1]) <= self._most:
            expected = f"expected seconds from {self._least:g} to {self._most:g}"
            self.fail(f'{expected}, not "{text}"{self._hint}', param, ctx)
        return float(found[1])
