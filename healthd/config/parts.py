"""The parts of a combined check: an array of tables, each of which is a check without times and with a weight."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic_core import PydanticCustomError

from healthd.config.fields import Written, refuse, whole
from healthd.config.words import described

PART_WEIGHT: dict[str, Any] = {**whole(1, 1000).schema, "default": 1, "description": "Its votes, with at_least."}
BESIDE_PART = ("type", "weight")
"""The keys of a part that are not options of its kind."""


def _tables(value: object) -> list[dict[str, Any]]:
    wanted = 'an array of tables such as [{ type = "tcp" }, { type = "http" }]'
    if not isinstance(value, list):
        refuse(f"expected {wanted}, not {described(value)}")
    for item in value:
        if not isinstance(item, dict):
            refuse(f"expected {wanted}, not {described(item)} in it")
    return value


def weight_of(value: object) -> int:
    """The votes of a part.

    Raises:
        ValueError: it is no such number.

    """
    try:
        votes: int = whole(1, 1000).read(value)
    except PydanticCustomError as error:
        raise ValueError(error.message()) from error
    return votes


PartTables = Annotated[
    list[dict[str, Any]], Written(_tables, {"type": "array", "items": {"type": "object"}, "minItems": 1})
]
"""Tables that are yet to be read."""
