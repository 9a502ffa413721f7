"""The kernel's table in the words of ipvsadm: the witness of what healthd did to it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace

from healthd.model import SCHEDULER_FLAGS, Table, VirtualService


def saved(within: Sequence[str] = ()) -> str:
    """`ipvsadm -Sn`, its lines sorted, as the kernel lists services in the order of a hash.

    `within` is what runs a command elsewhere, such as `("ip", "netns", "exec", "director")`.
    """
    return _in_order(_run([*within, "ipvsadm", "-Sn"]).splitlines())


def thresholds(within: Sequence[str] = ()) -> set[tuple[str, int, int]]:
    """Endpoint, upper and lower threshold of each real server that has one: `-Sn` leaves them out."""
    found = set()
    for line in _run([*within, "ipvsadm", "-Ln", "--thresholds"]).splitlines():
        match line.split():
            case ["->", endpoint, upper, lower, _, _] if upper.isdigit() and (upper, lower) != ("0", "0"):
                found.add((endpoint, int(upper), int(lower)))
    return found


def expected(table: Table) -> str:
    """What `saved` says of a kernel that holds `table`."""
    return _in_order(repr(Table({key: _sayable(service) for key, service in table.services.items()})).splitlines())


def _sayable(service: VirtualService) -> VirtualService:
    """Without what `-Sn` has no word for: thresholds, and the third flag of a scheduler that names its flags."""
    options = service.options
    if options.scheduler in SCHEDULER_FLAGS:
        options = replace(options, flags=options.flags - {3})
    servers = {endpoint: replace(server, upper=0, lower=0) for endpoint, server in service.destinations.items()}
    return VirtualService(options, servers)


def expected_thresholds(table: Table) -> set[tuple[str, int, int]]:
    return {
        (str(endpoint), server.upper, server.lower)
        for service in table.services.values()
        for endpoint, server in service.destinations.items()
        if server.upper
    }


def _run(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _in_order(lines: Sequence[str]) -> str:
    return "\n".join(sorted(line.strip() for line in lines))
