"""What an agent of HAProxy's agent-check protocol answers: one line of words. Pure.

Source: HAProxy's configuration manual, section 5.2, "agent-check". Words are parted by blanks, tabs and commas, their
case does not matter, and of several of one sort the last counts. What follows a `#` is for people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from checkers.outcome import LARGEST_WEIGHT

LONGEST = 1024
"""Bytes of a line; HAProxy's own buffer bounds it there."""

_END = re.compile(rb"[\r\n\0]")
_WORD = re.compile(r"[^ \t,]+")
_WEIGHT = re.compile(r"(weight:)?([0-9]{1,9})(%?)", re.ASCII)
_HEALTH = ("up", "down", "fail", "stopped")
_MODE = ("ready", "drain", "maint")


class NotAnAgentError(ValueError):
    """The line has no word that an agent says."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the agent wishes. Empty, and None, where it says nothing about it.

    `health` is up, down, fail or stopped, `mode` is ready, drain or maint. `factor` is a share of the configured
    weight, `weight` a weight; at most one of the two is given.
    """

    health: str = ""
    mode: str = ""
    factor: float | None = None
    weight: int | None = None
    reason: str = ""
    ignored: tuple[str, ...] = field(default=())


def line_of(received: bytes) -> bytes | None:
    """The line without its end, None while that has not come."""
    end = _END.search(received)
    return None if end is None else received[: end.start()]


def read(line: bytes) -> Report:
    """What a line without its end says.

    Raises:
        NotAnAgentError: nothing that an agent would say is in it.

    """
    said, _, reason = line.decode("utf-8", "backslashreplace").partition("#")
    health = mode = ""
    wish: tuple[float | None, int | None] = (None, None)
    ignored: list[str] = []
    understood = False
    for word in _WORD.findall(said.lower()):
        weight = _WEIGHT.fullmatch(word)
        if word in _HEALTH:
            health = word
        elif word in _MODE:
            mode = word
        elif weight and (weight[1] or weight[3]):
            wish = _wish(int(weight[2]), share=bool(weight[3]))
        elif not word.startswith("maxconn:"):  # a limit of HAProxy's, which IPVS sets in the configuration
            ignored.append(word)
            continue
        understood = True
    if not understood:
        raise NotAnAgentError('expected words such as "up", "drain" or "75%"')
    return Report(health, mode, *wish, reason.strip(" \t"), tuple(ignored))


def _wish(number: int, *, share: bool) -> tuple[float | None, int | None]:
    number = min(number, LARGEST_WEIGHT)
    return (number / 100, None) if share else (None, number)
