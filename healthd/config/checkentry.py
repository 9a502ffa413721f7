"""The `check` key of a service: names of checks, checks in place, or an array of both."""

from __future__ import annotations

from typing import Annotated, Any

from healthd.config.fields import Written, refuse
from healthd.config.positions import KeyPath
from healthd.config.words import described

Entry = tuple[KeyPath, str | dict[str, Any]]
"""Where it stands below the `check` key; a name, or a table that is yet to be read."""


def _entries(value: object) -> tuple[Entry, ...]:
    if isinstance(value, str | dict):
        return (((), value),)
    example = 'the name of a check, a table such as { type = "tcp" }, or an array of these'
    if not isinstance(value, list):
        refuse(f"expected {example}, not {described(value)}")
    if not value:
        refuse('an empty array checks nothing; for a service without checks write check = { type = "always" }')
    for item in value:
        if not isinstance(item, str | dict):
            refuse(f"expected {example}, not {described(item)} in it")
    return tuple(((index,), item) for index, item in enumerate(value))


CheckEntries = Annotated[tuple[Entry, ...], Written(_entries, {})]
