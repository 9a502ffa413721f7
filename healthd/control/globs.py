"""Patterns for names: `*` and `?` stand for any characters and for any one; brackets are those of IPv6."""

from __future__ import annotations

import fnmatch
import functools
import re


def matches(pattern: str, name: str) -> bool:
    return pattern == "*" or _matcher(pattern).fullmatch(name) is not None


def matches_server(pattern: str, name: str) -> bool:
    """Whether `ADDRESS:PORT` is meant, by name or by address alone: then it is that server on every port."""
    return matches(pattern, name) or matches(pattern, name.rpartition(":")[0].strip("[]"))


@functools.lru_cache(64)
def _matcher(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]")))
