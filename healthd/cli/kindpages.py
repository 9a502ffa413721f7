"""Kinds of check for people: the list of them, and the page of one with its options."""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from checkers.base import Checker
from checkers.part import Part
from checkers.registry import kinds, summary
from checkers.tls import TlsChecker
from healthd.cli.columns import Column, Row, folded, lines
from healthd.cli.terminal import Page
from healthd.printable import one_line

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Connections": ("tcp", "udp", "sctp", "tls", "ping", "dialog"),
    "Web": ("http", "https", "http2", "http3", "http_session", "http_proxy", "grpc", "websocket"),
    "Mail and news": ("smtp", "submission", "lmtp", "imap", "imaps", "pop3", "pop3s", "nntp"),
    "Names and directories": ("dns", "dot", "ldap", "ldaps", "radius"),
    "Databases and caches": ("mysql", "oracle", "postgres", "memcached", "redis"),
    "Files, logins and calls": ("ftp", "sip", "ssh"),
    "Programs and reports": ("command", "agent", "push", "file"),
    "Several in one, and none": ("all", "any", "at_least", "always"),
}
"""The built-in kinds as people look for them. Those that somebody has installed follow, under `INSTALLED`."""

INSTALLED = "Installed"
OWN = "Its own"


def summaries() -> dict[str, str]:
    """Every kind that has a name, with a line about it."""
    return {name: summary(kind) for name, kind in kinds().items()}


def list_lines(page: Page) -> Iterator[str]:
    """Every kind that has a name, with its summary: by group, or by name where each line has to stand for itself."""
    found = kinds()
    known = {name for names in GROUPS.values() for name in names}
    groups = {**GROUPS, INSTALLED: tuple(name for name in found if name not in known)}
    rows = {
        heading: [Row((name,), summary(found[name])) for name in names if name in found]
        for heading, names in ({"": tuple(found)} if page.repeats else groups).items()
    }
    return lines([Column("KIND")], list(_headed(rows, page)), "WHAT IT ASKS", page.width, page.paint)


def kind_lines(kind: str, checker: type[Checker], page: Page) -> Iterator[str]:
    """What a kind says of itself, in its paragraphs, and its options: its own, those of TLS, and everybody's."""
    first, *more = inspect.cleandoc(checker.__doc__ or "no description").split("\n\n")
    for paragraph in (f"{kind}: {first}", *more):
        yield from folded(one_line(" ".join(paragraph.split())), page.width)
        yield ""
    groups: dict[str, list[Row]] = {OWN: [], "TLS": [], "Where to ask": []}
    hints = get_type_hints(checker)
    for field in dataclasses.fields(checker):
        if field.init:
            default = str(checker.default_port or "") if field.name == "port" else _default(field)
            groups[_group(field.name, checker)].append(Row((field.name, default), _type_name(hints[field.name])))
    columns = [Column("OPTION"), Column("DEFAULT")]
    yield from lines(columns, list(_headed(groups, page)), "VALUE", page.width, page.paint)


def _headed(groups: Mapping[str, list[Row]], page: Page) -> Iterator[Row]:
    """The rows under their headings, away from a terminal without them."""
    for heading, rows in groups.items():
        if page.repeats or not heading:
            yield from rows
        elif rows:
            yield Row((), heading)
            yield from (Row((f"  {row.cells[0]}", *row.cells[1:]), row.note) for row in rows)


def _group(name: str, checker: type[Checker]) -> str:
    if name in {field.name for field in dataclasses.fields(Checker)}:
        return "Where to ask"
    tls = {field.name for field in dataclasses.fields(TlsChecker)}
    return "TLS" if name in tls and issubclass(checker, TlsChecker) else OWN


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        return "" if field.default is None else _as_toml(field.default)
    if field.default_factory is not dataclasses.MISSING:
        return _as_toml(field.default_factory())
    return "(required)"


def _as_toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case tuple() | list():
            return "[" + ", ".join(map(_as_toml, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{key} = {_as_toml(item)}" for key, item in value.items()) + "}"
        case _:
            return str(value)


_WORDS = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "true or false",
    Path: "path",
    Part: "table: type, its options, weight",
}


def _type_name(annotation: Any) -> str:
    """A type in the words of the configuration; an option that may be left out is said so by its empty default."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(_as_toml(value) for value in arguments)
    if origin in {Union, types.UnionType}:
        return " | ".join(_type_name(member) for member in arguments if member is not types.NoneType)
    if origin is tuple:
        return f"array of {_type_name(arguments[0])}"
    if origin is dict:
        return f"table of {_type_name(arguments[1])}"
    if dataclasses.is_dataclass(annotation) and annotation not in _WORDS:
        return "table: " + ", ".join(field.name for field in dataclasses.fields(annotation))
    return _WORDS.get(annotation, getattr(annotation, "__name__", str(annotation)))
