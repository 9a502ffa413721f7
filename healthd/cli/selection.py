"""Which servers somebody means: `web`, `web/*`, `10.0.0.1`, `web/10.0.0.1:80`, `*/10.0.0.*`. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from healthd.cli.answers import Server
from healthd.cli.exits import Exit, Problem
from healthd.printable import one_line


def matches(pattern: str, server: Server) -> bool:
    """Without a slash it is the name of a service, or of a server in any service."""
    service, slash, name = pattern.partition("/")
    if slash:
        return _is(server.service, service) and _names(server, name)
    return _is(server.service, pattern) or _names(server, pattern)


def _names(server: Server, pattern: str) -> bool:
    return _is(server.name, pattern) or _is(server.address, pattern)


def _is(name: str, pattern: str) -> bool:
    """Brackets are no sets of characters here: they belong to IPv6 addresses."""
    return fnmatchcase(name, pattern.replace("[", "[[]"))


def selected(servers: Iterable[Server], patterns: Sequence[str], states: Sequence[str]) -> list[Server]:
    """Those that a pattern means and that are in one of the states; without any, all.

    Raises:
        Problem: nothing has such a name. That nothing is in such a state is an answer, not a mistake.

    """
    servers = list(servers)
    for pattern in patterns:
        if not any(matches(pattern, server) for server in servers):
            raise _nothing(pattern, servers)
    return [
        server
        for server in servers
        if (not patterns or any(matches(pattern, server) for pattern in patterns))
        and (not states or server.state in states)
    ]


def _nothing(pattern: str, servers: Sequence[Server]) -> Problem:
    services = list(dict.fromkeys(server.service for server in servers))
    service = pattern.partition("/")[0]
    its = [server.name for server in servers if server.service == service]
    known = [*services, *(f"{server.service}/{server.name}" for server in servers)]
    near = difflib.get_close_matches(pattern, known, 3)
    if near:
        hint = f"did you mean {' or '.join(near)}?"
    else:
        hint = f"the servers of {service} are {_listed(its)}" if its else f"the services are {_listed(services)}"
    return Problem(Exit.NO_MATCH, one_line(f'healthd: no service and no server matches "{pattern}"; {hint}'))


def _listed(names: Sequence[str]) -> str:
    return ", ".join([*names[:10], *(["..."] if len(names) > 10 else [])]) or "none"
