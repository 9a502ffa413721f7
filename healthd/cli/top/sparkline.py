"""A row of numbers as a row of little bars. Pure."""

from __future__ import annotations

from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = "_.-:=+*#"
"""Where the terminal has no more than ASCII."""

FAILED = "x"


def bars(values: Sequence[float | None], width: int, blocks: str = BLOCKS) -> str:
    """The last `width` of them, from nothing to the greatest; None is a failure and has a mark of its own."""
    shown = list(values)[-width:]
    most = max((value for value in shown if value is not None), default=0.0)
    return "".join(FAILED if value is None else _bar(value, most, blocks) for value in shown).rjust(width)


def _bar(value: float, most: float, blocks: str) -> str:
    return blocks[min(len(blocks) - 1, int(value / most * len(blocks)))] if most > 0 else blocks[0]
