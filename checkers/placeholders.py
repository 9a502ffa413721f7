"""Placeholders in options: `{address}` stands for the address that is asked, and so on. Pure."""

from __future__ import annotations

import difflib
import re

from checkers.base import OptionError, Target, show
from checkers.route import Route

_PLACEHOLDER = re.compile(r"\{(?:\{(?P<text>[a-z_]+)\}|(?P<name>[a-z_]+))\}")
"""`{name}`, or `{{text}}`, which stands for `{text}` itself. No other brace means anything."""


def facts(target: Target) -> dict[str, str]:
    """What there is to say of a target, under the names of the placeholders.

    `server` and `virtual` are address and port together, as in the configuration. What does not apply is empty, a
    port or fwmark that does not apply is 0.
    """
    server = Target(address=target.server_address or target.address, port=target.server_port or target.port)
    virtual = Target(address=target.virtual_address, port=target.virtual_port)
    route = target.route or Route()
    return {
        "address": target.address,
        "port": str(target.port),
        "protocol": target.protocol,
        "service": target.service,
        "server": server.where,
        "server_address": server.address,
        "server_port": str(server.port),
        "virtual": virtual.where,
        "virtual_address": virtual.address,
        "virtual_port": str(virtual.port),
        "fwmark": str(target.fwmark),
        "source": route.source,
        "interface": route.interface,
        "mark": str(route.mark),
    }


NAMES = tuple(facts(Target(address="")))


def check_placeholders(option: str, text: str) -> None:
    """Raises OptionError if `text` has a placeholder that there is not, or cannot be told to the kernel."""
    if "\0" in text:
        raise OptionError(option, f"{show(text)}: cannot hold a NUL character")
    for found in _PLACEHOLDER.finditer(text):
        name = found["name"]
        if name is None or name in NAMES:
            continue
        near = difflib.get_close_matches(name, NAMES, 1)
        guess = f'did you mean "{{{near[0]}}}"?' if near else f"known are {', '.join(NAMES)};"
        raise OptionError(option, f'unknown placeholder "{{{name}}}"; {guess} "{{{{{name}}}}}" is the text itself')


def filled(text: str, known: dict[str, str]) -> str:
    """`text` with what its placeholders stand for."""
    return _PLACEHOLDER.sub(lambda found: known[found["name"]] if found["name"] else f"{{{found['text']}}}", text)
