"""Times in options of checks: strings with a unit, as everywhere in the configuration. Pure."""

from __future__ import annotations

import re

from checkers.base import OptionError

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)")
_LONGEST = 36500 * 86400.0
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds_of(option: str, text: str) -> float:
    """The seconds that `text` stands for, more than none and at most a hundred years.

    Raises:
        OptionError: it is no duration, or none at all.

    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise OptionError(option, f'expected a duration such as "50ms", "5s" or "14d", not "{text}"')
    seconds = float(match[1]) * _UNITS[match[2]]
    if not 0 < seconds <= _LONGEST:
        raise OptionError(option, f'must be longer than "0s" and at most "36500d", not "{text}"')
    return seconds
