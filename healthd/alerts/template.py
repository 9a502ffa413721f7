"""A message by a template of the user's: `$name` stands for a text, escaped for where it is going. Pure.

It is substitution and nothing else: no template can run anything.
"""

from __future__ import annotations

import html
import json
import string
from collections.abc import Callable, Mapping
from urllib.parse import quote_plus


def render(template: str, values: Mapping[str, str], content_type: str) -> bytes:
    escape = escaping(content_type)
    return string.Template(template).substitute({name: escape(value) for name, value in values.items()}).encode()


def escaping(content_type: str) -> Callable[[str], str]:
    """How a text is made part of a document of this type, where JSON has it between quotation marks."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return _json
    if kind == "application/x-www-form-urlencoded":
        return quote_plus
    if kind.endswith(("xml", "html")):
        return html.escape
    return str


def _json(text: str) -> str:
    return json.dumps(text)[1:-1]
