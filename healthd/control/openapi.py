"""The OpenAPI description of the control interface, made of the routes, so that it cannot say anything else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from healthd import __version__
from healthd.control import answers
from healthd.control.asked import Param
from healthd.control.failures import HTTP, NO_SENSE, SENSELESS
from healthd.control.following import NDJSON, SSE
from healthd.control.route import Route

Json = dict[str, Any]

ABOUT = (
    "The state of the virtual services of a Linux Virtual Server director and of their real servers, and what an "
    "operator can do about them. Times are seconds since the epoch, durations are seconds."
)
_WORDS: Mapping[str, str] = {
    "invalid": "The request is not as described; the messages say all that is wrong.",
    "unauthorized": "Nobody knows who asks.",
    "forbidden": "Whoever asks may not, or a page of another site does.",
    "not_found": "There is no such thing.",
    "conflict": "It would leave a service with too few servers; `force` does it all the same.",
    "too_slow": "The body did not come in time.",
    "too_large": "The body is too large.",
    "unsupported": "The body is not JSON.",
    "too_often": "Whoever asks has done so too often; `Retry-After` says when to come back.",
    "busy": "Too many ask at once.",
    "unwell": "Something does not advance; the reasons say what.",
}
_NO_SENSE = "It is as described, and still makes no sense; the messages say why."
_STREAMS: Mapping[str, Json] = {SSE: {"type": "string"}, NDJSON: {"type": "string"}}


def description(routes: Iterable[Route]) -> Json:
    """OpenAPI 3.1."""
    paths: Json = {}
    for route in routes:
        path = re.sub(r":[^}]*}", "}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "healthd", "version": __version__, "description": ABOUT, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": {"Error": answers.ERROR},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "Over TCP; the unix socket needs none."}
            },
        },
    }


def _operation(route: Route) -> Json:
    operation: Json = {
        "operationId": _id(route),
        "summary": route.doc,
        "parameters": [*map(_in_path, route.path_names), *map(_in_query, route.query), *_headers(route)],
        "responses": dict(sorted({"200": _success(route), **_failures(route)}.items())),
    }
    if route.role is not None:
        operation["security"] = [{"token": []}, {}]
        operation["x-role"] = route.role.value
    if route.own_token:
        operation["security"] = [{"token": []}]
    if route.method == "POST":
        operation["requestBody"] = _body(route)
    return operation


def _id(route: Route) -> str:
    words = re.findall(r"\w+", route.path.removeprefix("/api/v1").replace("-", "_"))
    return "_".join([route.method.lower(), *words]) if words else f"{route.method.lower()}_page"


def _in_path(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _in_query(param: Param) -> Json:
    found: Json = {"name": param.name, "in": "query", "description": param.doc, "schema": _schema(param)}
    if param.kind.schema.get("type") == "array":
        found |= {"style": "form", "explode": False}
    return found


def _schema(param: Param) -> Json:
    default = list(param.default) if isinstance(param.default, tuple) else param.default
    return dict(param.kind.schema) | ({} if default in (None, []) else {"default": default})


def _headers(route: Route) -> list[Json]:
    if SSE not in route.media_types:
        return []
    text = "The id of the last event that was seen; those after it come first."
    number = {"type": "integer", "minimum": 0, "maximum": 10**18}
    return [{"name": "Last-Event-ID", "in": "header", "description": text, "schema": number}]


def _body(route: Route) -> Json:
    schema: Json = {
        "type": "object",
        "properties": {param.name: _schema(param) | {"description": param.doc} for param in route.body},
        "additionalProperties": False,
    }
    required = [param.name for param in route.body if param.required]
    if required:
        schema["required"] = required
    return {"required": bool(required), "content": {"application/json": {"schema": schema}}}


def _success(route: Route) -> Json:
    content: Json = {}
    for media_type in route.media_types:
        content[media_type] = {"schema": dict(route.answer) or dict(_STREAMS.get(media_type, {"type": "string"}))}
    return {
        "description": "Done." if route.role and route.method == "POST" else "What was asked for.",
        "content": content,
    }


def _failures(route: Route) -> Json:
    statuses = ["invalid", "forbidden", *(failure for failure in route.failures if failure != SENSELESS)]
    if route.role is not None:
        statuses.append("unauthorized")
    if route.method == "POST":
        statuses += ["too_large", "too_slow", "unsupported"]
    if route.pace is not None:
        statuses.append("too_often")
    error = {"$ref": "#/components/schemas/Error"}
    found: Json = {}
    for status in dict.fromkeys(statuses):
        schema = dict(route.answer) if status == "unwell" else error
        code = "503" if status == "unwell" else str(HTTP[status])
        found[code] = {"description": _WORDS[status], "content": {"application/json": {"schema": schema}}}
        if status == "too_often":
            found[code]["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    if {"conflict", SENSELESS} & set(route.failures):
        found[str(NO_SENSE)] = {"description": _NO_SENSE, "content": {"application/json": {"schema": error}}}
    return found
