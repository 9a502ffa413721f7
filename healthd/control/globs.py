"""Patterns for names: `*` and `?` stand for any characters and for any one; brackets are those of IPv6."""

from __future__ import annotations

import fnmatch
import functools
import re


def matches(pattern: str, name: str) -> bool:
    return pattern == "*" or _matcher(pattern).fullmatch(name) is not None


@functools.lru_cache(64)
def _matcher(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]")))
