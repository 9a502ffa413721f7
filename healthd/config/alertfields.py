"""The kinds of value that only alerts have: URLs, headers, limits on messages, templates."""

from __future__ import annotations

import json
import re
import string
from typing import Annotated
from urllib.parse import urlsplit

from checkers.base import show
from healthd.config.fields import Written, duration, refuse
from healthd.config.values import Rate
from healthd.config.words import described, meant

TEMPLATE_FIELDS = (
    "alert",
    "event",
    "service",
    "server",
    "old",
    "new",
    "severity",
    "text",
    "count",
    "headline",
    "body",
    "host",
    "id",
    "key",
    "status",
    "time",
    "lost",
    "held",
)
"""What `$name` in a template may stand for."""

_NUMBERS = {"count", "lost", "held"}
_RATE = re.compile(r"([1-9][0-9]{0,3})/(.+)")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_OURS = {"host", "content-length", "transfer-encoding", "connection", "content-type"}


def _url(value: object) -> str:
    example = 'a URL such as "https://example.com/hook"'
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        refuse(f"expected {example}, not {described(value) if not isinstance(value, str) else 'this text'}")
    try:
        parts = urlsplit(value)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound:
        refuse(f"expected {example}, with http or https, a host and no other port than 1 to 65535")
    if parts.username is not None:
        refuse("a user and password do not belong into a URL: give a header, or token_file")
    return value


HttpUrl = Annotated[str, Written(_url, {"type": "string", "format": "uri", "examples": ["https://example.com/hook"]})]
"""Not repeated in messages: it may be a secret."""


def _headers(value: object) -> tuple[tuple[str, str], ...]:
    example = '{ "X-Team" = "web" }'
    if not isinstance(value, dict):
        refuse(f"expected a table of strings such as {example}, not {described(value)}")
    for name, text in value.items():
        if not isinstance(text, str):
            refuse(f"the value of {show(name)} has to be a string, as in {example}, not {described(text)}")
        if not _HEADER.fullmatch(name):
            refuse(f"{show(name)} is not the name of a header")
        if name.lower() in _OURS:
            better = ": content_type says it" if name.lower() == "content-type" else ""
            refuse(f"{show(name)} is set by healthd itself{better}")
        if not text.isascii() or not text.isprintable():
            refuse(f"the value of {show(name)} has to be printable ASCII")
    return tuple(value.items())


Headers = Annotated[
    tuple[tuple[str, str], ...], Written(_headers, {"type": "object", "additionalProperties": {"type": "string"}})
]


def _rate(value: object) -> Rate:
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        refuse(f'expected a number of messages and a time such as "20/1h", not {described(value)}')
    return Rate(int(match[1]), duration(1.0).read(match[2]))


_RATE_SCHEMA = {"type": "string", "pattern": r"^[1-9][0-9]{0,3}/.+$", "examples": ["20/1h"]}
RateText = Annotated[Rate, Written(_rate, _RATE_SCHEMA)]


def template_error(template: str, content_type: str) -> str:
    """What is wrong with a template, in words; empty if nothing is."""
    pattern = string.Template(template)
    if not pattern.is_valid():
        return 'a $ has to stand before the name of a field, as "$text" or "${text}"; "$$" is a dollar sign'
    for name in pattern.get_identifiers():
        if name not in TEMPLATE_FIELDS:
            hint = meant(name, TEMPLATE_FIELDS) or f"; there are {', '.join(TEMPLATE_FIELDS)}"
            return f"no field is named {show(name)}{hint}"
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        return ""
    sample = {name: "1" if name in _NUMBERS else "x" for name in TEMPLATE_FIELDS}
    try:
        json.loads(pattern.substitute(sample))
    except ValueError as error:
        advice = 'texts need quotation marks around them, as in {"message": "$text"}'
        return f"does not give JSON, which content_type says it is: {error}; {advice}"
    return ""


def _content_type(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9.+-]+/[a-z0-9.+-]+(; ?[a-z0-9=-]+)?", value):
        refuse(f'expected a media type such as "application/json", not {described(value)}')
    return value


ContentType = Annotated[str, Written(_content_type, {"type": "string", "examples": ["application/json", "text/plain"]})]


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        refuse(f"expected a text, not {described(value)}")
    return value


Text = Annotated[str, Written(_text, {"type": "string", "minLength": 1})]
