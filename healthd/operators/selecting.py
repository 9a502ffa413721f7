"""Which servers an operator means. Pure.

`SERVICE/SERVER` is a server of a service, `SERVER` alone that server in every service. A server is `ADDRESS:PORT`, or
its `ADDRESS` for whatever port. `*` and `?` stand for any characters and for any one; brackets are those of IPv6.
"""

from __future__ import annotations

import difflib
import fnmatch
import ipaddress
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import islice

from healthd.model import Endpoint

Servers = Mapping[str, Collection[Endpoint]]
"""The servers of each service."""

Key = tuple[str, Endpoint]
"""A server of a service."""

COMPARED = 60
"""Names that one which matches nothing is compared with; more would take time that belongs to the checks."""


def selected(selector: str, servers: Servers) -> list[Key]:
    """The servers that `selector` means, in the order in which they are configured."""
    service, slash, server = selector.rpartition("/")
    of_service = _matcher(service) if slash else _anything
    exact = _endpoint(server)
    if exact is not None:
        return [(name, exact) for name, endpoints in servers.items() if exact in endpoints and of_service(name)]
    of_server = _server_matcher(server)
    return [
        (name, endpoint)
        for name, endpoints in servers.items()
        if of_service(name)
        for endpoint in endpoints
        if of_server(endpoint)
    ]


def is_pattern(text: str) -> bool:
    return "*" in text or "?" in text


def no_match(selector: str, servers: Servers) -> str:
    """What is said of a selector that means nothing, with the names that may have been meant."""
    service, slash, server = selector.rpartition("/")
    if not slash and server in servers:
        return f'no server matches "{selector}", which is a service; its servers are "{selector}/*"'
    of_service = _matcher(service) if slash else _anything
    matching = [name for name in servers if of_service(name)]
    if not matching:
        return f'no service matches "{service}"' + _meant(service, servers)
    within = f' in service "{service}"' if slash else ""
    known = (str(endpoint) for name in matching for endpoint in servers[name])
    return f'no server matches "{server}"{within}' + _meant(server, known)


def _meant(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, dict.fromkeys(islice(known, COMPARED)), n=3)
    return "; did you mean " + " or ".join(near) + "?" if near else ""


def _anything(_: str) -> bool:
    return True


def _matcher(pattern: str) -> Callable[[str], bool]:
    if not is_pattern(pattern):
        return pattern.__eq__
    # Brackets are taken as they are. What the library makes of many asterisks takes no longer than of one.
    matches = re.compile(fnmatch.translate(pattern.replace("[", "[[]"))).fullmatch
    return lambda name: matches(name) is not None


def _server_matcher(pattern: str) -> Callable[[Endpoint], bool]:
    exact = _address(pattern)
    if exact is not None:
        return lambda endpoint: endpoint.address == exact
    matches = _matcher(pattern)
    return lambda endpoint: matches(str(endpoint)) or matches(endpoint.address)


def _address(text: str) -> str | None:
    """A whole address, with or without brackets, in canonical form."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return None


def _endpoint(text: str) -> Endpoint | None:
    """`ADDRESS:PORT` in canonical form."""
    address, _, port = text.rpartition(":")
    bracketed = address.startswith("[")
    found = _address(address)
    if found is None or (":" in found) != bracketed or not re.fullmatch("[0-9]{1,5}", port, re.ASCII):
        return None
    return Endpoint(found, int(port))
