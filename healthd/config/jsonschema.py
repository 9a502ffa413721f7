"""The JSON Schema of a configuration file, for the TOML plug-in of an editor.

It is made of the same models that the files are read with, so it cannot say anything else. What no schema can tell,
such as whether a named check exists, `healthd config check` does.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from checkers.base import Checker
from checkers.combined import Combined
from checkers.registry import kinds
from healthd.config.alerts import MODELS, REQUIRED
from healthd.config.history import HistoryTable
from healthd.config.layers import BUILT_IN
from healthd.config.models import ControlTable, HealthdTable, Inherited, ServiceTable, Timing
from healthd.config.options import UnusableError, options_of
from healthd.config.parts import PART_WEIGHT
from healthd.config.values import AppriseConfig, CommandConfig, HistoryConfig, MailConfig, Settings, WebhookConfig
from healthd.config.words import seconds_as_text

Schema = dict[str, Any]

_TABLES: Mapping[str, Any] = {
    "healthd": HealthdTable,
    "defaults": Inherited,
    "control": ControlTable,
    "history": HistoryTable,
    "service": ServiceTable,
    **MODELS,
    "timing": Timing,
}
_SERVER_DEFAULTS = {"weight": 1, "upper": 0, "lower": 0}
_SINKS: Mapping[str, Any] = {
    "mail": MailConfig(to=(), sender=""),
    "command": CommandConfig(command=()),
    "webhook": WebhookConfig(),
    "apprise": AppriseConfig(urls_file=Path()),
}
_DURATIONS = {"resync", "timeout", "retry_for", "keep_events", "keep_minutes", "keep_hours", "keep_days"}


def schema() -> Schema:
    """The schema of a whole file, with every kind of check that is known here. Draft 7, which most plug-ins know."""
    _, models = TypeAdapter.json_schemas([(name, "validation", TypeAdapter(table)) for name, table in _TABLES.items()])
    tables: Schema = models["$defs"]
    timing = tables.pop("Timing")["properties"]
    _complete(tables)
    tables["Check"] = {"oneOf": [*_kinds(timing, tables), _plugin(timing)]}
    votes = {"weight": PART_WEIGHT}
    tables["Part"] = {"oneOf": [*_kinds(votes, tables), _plugin(votes)]}
    tables["Alert"] = {"oneOf": [_ref(model.__name__) for model in MODELS.values()]}
    named = {"check": "Check", "service": "ServiceTable", "alert": "Alert"}
    whole: Schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "healthd configuration",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "healthd": _ref("HealthdTable"),
            "defaults": _ref("Inherited"),
            "control": _ref("ControlTable"),
            "history": _ref("HistoryTable"),
            **{key: {"type": "object", "additionalProperties": _ref(table)} for key, table in named.items()},
        },
        "$defs": tables,
    }
    _untitle(whole)
    return whole


def _ref(table: str) -> Schema:
    return {"$ref": f"#/$defs/{table}"}


def _complete(tables: Schema) -> None:
    """Adds what the models leave to the code that reads them: required keys, defaults, and what a check is."""
    _with_defaults(tables["HealthdTable"], _written(Settings()))
    _with_defaults(tables["HistoryTable"], _written(HistoryConfig()) | {"max_size": "200MB"})
    _with_defaults(tables["Inherited"], BUILT_IN)
    _with_defaults(tables["ServerTable"], _SERVER_DEFAULTS)
    _with_defaults(tables["FallbackTable"], _SERVER_DEFAULTS)
    for kind, model in MODELS.items():
        alert = tables[model.__name__]
        defaults = _written(_SINKS[kind])
        _with_defaults(alert, {key: value for key, value in defaults.items() if key not in REQUIRED[kind]})
        alert["properties"]["type"] = {"const": kind}
        alert["required"] = ["type", *REQUIRED[kind]]
    for table in ("ServerTable", "FallbackTable"):
        tables[table]["required"] = ["address"]
    tables["ServiceTable"]["oneOf"] = [{"required": ["virtual"]}, {"required": ["fwmark"]}]
    name_or_table = {"anyOf": [{"type": "string"}, _ref("Check")]}
    for table in ("ServiceTable", "Inherited"):
        check = tables[table]["properties"]["check"]
        check["anyOf"] = [*name_or_table["anyOf"], {"type": "array", "items": name_or_table, "minItems": 1}]


def _written(value: Any) -> Schema:
    """The defaults of a dataclass as they would be written."""
    given = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return {key: seconds_as_text(item) if key in _DURATIONS else item for key, item in given.items()}


def _with_defaults(table: Schema, defaults: Mapping[str, Any]) -> None:
    for key, value in defaults.items():
        if key in table["properties"] and value is not None and value != ():
            plain = value if isinstance(value, str | int | float) else str(value)
            table["properties"][key]["default"] = plain


def _kinds(beside: Schema, tables: Schema) -> Iterator[Schema]:
    """The tables of all kinds, each with the keys that stand `beside` its options."""
    for kind, checker in kinds().items():
        try:
            model = options_of(checker).model
        except UnusableError:
            continue  # somebody's plugin: whoever uses it is told by the configuration check
        table = TypeAdapter(model).json_schema(ref_template=f"#/$defs/{kind}-{{model}}")
        tables.update({f"{kind}-{name}": inner for name, inner in table.pop("$defs", {}).items()})
        _describe(table, checker)
        if issubclass(checker, Combined):
            table["properties"]["part"]["items"] = _ref("Part")
        table["properties"] = {"type": {"const": kind}, **table["properties"], **beside}
        table["required"] = ["type", *table.get("required", [])]
        yield table


def _plugin(beside: Schema) -> Schema:
    kind = {"type": "string", "pattern": r"^[A-Za-z_]\w*:[A-Za-z_]\w*$", "description": "A class in plugin_dir."}
    return {"type": "object", "required": ["type"], "properties": {"type": kind, **beside}}


def _describe(table: Schema, checker: type[Checker]) -> None:
    """Defaults from the fields; descriptions from the sentences that the docstrings have on each option."""
    documents = [inspect.cleandoc(cls.__doc__ or "") for cls in checker.__mro__ if issubclass(cls, Checker)]
    sentences = [part for text in documents for part in re.split(r"(?<=\.)\s+", text)]
    table["description"] = documents[0]
    defaults = {f.name: f.default for f in dataclasses.fields(checker) if f.default is not dataclasses.MISSING}
    _with_defaults(table, defaults)
    for name, option in table["properties"].items():
        about = " ".join(sentence for sentence in sentences if f"`{name}`" in sentence)
        if about:
            option["description"] = " ".join(about.split())


def _untitle(schema: Any) -> None:
    """Takes out the titles that pydantic makes of names: an editor would show each name twice."""
    for value in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(value, dict | list):
            _untitle(value)
        if isinstance(value, dict) and isinstance(value.get("title"), str):
            del value["title"]
