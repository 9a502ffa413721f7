"""SERVICE/SERVER as people write it: the port may be left out where that leaves no doubt."""

from __future__ import annotations

from typing import Any

from healthd.cli import answers
from healthd.cli.client import Answered, Client, path_of
from healthd.cli.exits import Exit, Problem
from healthd.cli.selection import matches
from healthd.printable import one_line


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
