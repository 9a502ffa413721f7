"""The tables of the configuration's schema, put into words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_KINDS = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "true or false",
    "object": "table",
    "array": "array",
    "null": "nothing",
}
MANY = 12
"""Values from that many on are not listed: the text that comes with them has to do."""


def resolved(schema: Schema, whole: Schema) -> Schema:
    """The schema itself, or the one that it refers to."""
    place = schema.get("$ref", "")
    return whole["$defs"][place.rpartition("/")[2]] if place else schema


def rows(table: Schema, whole: Schema) -> Iterator[tuple[str, str]]:
    """Each key with what may stand there, its default and what it means."""
    required = frozenset(table.get("required", ()))
    for name, option in table.get("properties", {}).items():
        if "const" not in option:
            yield name, _about(option, whole, needed=name in required)


def _about(option: Schema, whole: Schema, *, needed: bool) -> str:
    about = str(option.get("description", "")).strip()
    value = _value(option, whole)
    default = ", required" if needed else ""
    if "default" in option and option["default"] not in (None, {}, []):
        default = f", default `{json.dumps(option['default'], ensure_ascii=False)}`"
    return f"({value}{default}) {about}" if value else about


def _value(option: Schema, whole: Schema) -> str:
    option = resolved(option, whole)
    if "const" in option:
        return f"`{json.dumps(option['const'])}`"
    if option.get("pattern") and "examples" in option:
        return f"such as {json.dumps(option['examples'][-1])}"
    if "enum" in option:
        return (
            " | ".join(f"`{json.dumps(value)}`" for value in option["enum"]) if len(option["enum"]) < MANY else "name"
        )
    for several in ("anyOf", "oneOf"):
        if several in option:
            return " or ".join(dict.fromkeys(_value(each, whole) for each in option[several]))
    if option.get("type") == "array":
        items = _value(option.get("items", {}), whole)
        return f"array of: {items}" if items else "array"
    return _KINDS.get(str(option.get("type", "")), "")
