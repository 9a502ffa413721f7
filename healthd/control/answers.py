"""The JSON Schemas of what comes back. The tests hold every answer against them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from healthd.snapshot import STATES

Schema = Mapping[str, Any]

STRING: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
STRINGS: Schema = {"type": "array", "items": STRING}


def _maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(optional: tuple[str, ...] = (), **properties: Schema) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _enum(*names: str) -> Schema:
    return {"type": "string", "enum": list(names)}


HEALTH_WORD = _enum("up", "down", "unknown")
RECORD: Schema = {"type": "object", "required": ["kind", "text", "at"], "additionalProperties": True}

OUTCOME = _object(
    ("weight", "factor", "degraded", "expires"),
    status=_enum("pass", "fail", "unknown"),
    code=STRING,
    detail=STRING,
    seconds=NUMBER,
    weight=COUNT,
    factor=NUMBER,
    degraded=FLAG,
    expires=NUMBER,
)
CHECK = _object(
    ("adds_up",),
    name=STRING,
    kind=STRING,
    health=HEALTH_WORD,
    settled=FLAG,
    progress=STRING,
    unknowns=COUNT,
    age=_maybe(NUMBER),
    last=_maybe(OUTCOME),
    cause=_maybe(OUTCOME),
    adds_up=FLAG,
)
OVERRIDE = _object(
    admin=_enum("ready", "drain", "maintenance"),
    weight=_maybe(STRING),
    cut=FLAG,
    since=NUMBER,
    until=_maybe(NUMBER),
    who=STRING,
    reason=STRING,
)
SERVER = _object(
    service=STRING,
    name=STRING,
    address=STRING,
    port=COUNT,
    state=_enum(*STATES),
    health=HEALTH_WORD,
    degraded=FLAG,
    progress=STRING,
    weight=_maybe(COUNT),
    configured_weight=COUNT,
    active=_maybe(COUNT),
    inactive=_maybe(COUNT),
    persistent=_maybe(COUNT),
    since=NUMBER,
    transitions=COUNT,
    reason=STRING,
    override=_maybe(OVERRIDE),
    checks=_array(CHECK),
)
SERVICE = _object(
    name=STRING,
    virtual=STRING,
    scheduler=STRING,
    standing=_enum("starting", "served", "lost"),
    available=COUNT,
    configured=COUNT,
    min_available=COUNT,
    fallback=STRING,
    fallback_active=FLAG,
    fail_open=FLAG,
    servers=_array(SERVER),
)
YOU = _object(("csrf",), who=STRING, role=_enum("", "read", "operate"), csrf=STRING)
TOTALS = _object(
    services=COUNT,
    servers=COUNT,
    up=COUNT,
    down=COUNT,
    unknown=COUNT,
    drain=COUNT,
    maintenance=COUNT,
    fallback_active=COUNT,
    lost=COUNT,
)
STATUS = _object(
    version=STRING,
    host=STRING,
    pid=COUNT,
    at=NUMBER,
    started=NUMBER,
    uptime=NUMBER,
    generation=COUNT,
    you=YOU,
    totals=TOTALS,
    unusual=STRINGS,
    frozen=_maybe(_object(since=NUMBER, until=_maybe(NUMBER), who=STRING, reason=STRING)),
    table=_object(kind=_enum("kernel", "memory"), ok=FLAG, errors=STRINGS, read_age=_maybe(NUMBER), pending=STRINGS),
    scheduler=_object(
        jobs=COUNT,
        checks=COUNT,
        waiting=COUNT,
        too_late=COUNT,
        late_p50=NUMBER,
        late_p99=NUMBER,
        late_longest=NUMBER,
    ),
    history=_object(ok=FLAG, error=STRING),
    alerts=_array({"type": "object", "required": ["name"], "additionalProperties": True}),
    services=_array(SERVICE),
)
EXPLAINED = _object(
    state=_enum(*STATES),
    since=_maybe(NUMBER),
    acts=STRINGS,
    text=STRINGS,
    event=_maybe(RECORD),
    rule=STRING,
    edits=STRINGS,
    checks=_array(CHECK),
)
HISTORY = _object(events=_array(RECORD), next=_maybe(COUNT))
LATENCY = _object(points=_array(_object(at=NUMBER, count=COUNT, mean=NUMBER, max=NUMBER, fails=COUNT)))
SESSION = _object(("csrf", "login"), who=STRING, role=_enum("", "read", "operate"), csrf=STRING, login=FLAG)
DONE = _object(("failed",), done=STRINGS, edits=STRINGS, failed=STRINGS)
PLAN = _object(edits=STRINGS, effects=STRINGS, errors=STRINGS, warnings=STRINGS)
HEALTH = _object(ok=FLAG, reasons=STRINGS)
NOTHING = _object()
ERROR = _object(error=_object(status=STRING, messages=STRINGS))
