"""SERVICE, SERVICE/SERVER or SERVER as people write it: the port may be left out where that leaves no doubt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from healthd.cli import answers
from healthd.cli.client import Answered, Client, path_of
from healthd.cli.exits import Exit, Problem
from healthd.cli.selection import matches
from healthd.printable import one_line


@dataclass(frozen=True, slots=True)
class About:
    """Of which service and server something is wanted, by name or pattern, empty for any; `known`: there is one now."""

    service: str
    server: str
    known: bool


def about(client: Client, name: str) -> About:
    """What a name means: without a slash it is a service, or else a server of any service.

    Raises:
        Problem: the daemon cannot be asked.

    """
    service, _, server = name.partition("/")
    if not name or _is_known(client, service, server):
        return About(service, server, known=True)
    if not server and _is_known(client, "", service):
        return About("", service, known=True)
    return About(service, server, known=False)


def _is_known(client: Client, service: str, server: str) -> bool:
    query = {"service": service, "server": server, "summary": None if server else 1}
    return bool(answers.status(client.get(path_of("status"), query)).services)


def unknown(name: str) -> str:
    """What is said of a name that means nothing now."""
    return one_line(f'there is no service and no server "{name}"; `healthd status` names them')


def one_server(client: Client, service: str, server: str) -> Any:
    """The daemon's answer about it.

    Raises:
        Problem: there is no such server, or there are several.

    """
    try:
        return client.get(path_of("services", service, "servers", server))
    except Answered as refused:
        if refused.status != Exit.NO_MATCH:
            raise
        found = answers.service(client.get(path_of("services", service))).servers
        names = [one.name for one in found if matches(f"{service}/{server}", one)]
        if not names:
            raise
    if len(names) > 1:
        listed = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        raise Problem(Exit.NO_MATCH, one_line(f'healthd: "{service}/{server}" could be {listed}; name one'))
    return client.get(path_of("services", service, "servers", names[0]))
