"""The status as a Nagios plugin says it: one line, performance data, a status from 0 to 3. Pure.

The form is that of the Nagios Plugin Development Guidelines: `TEXT | 'label'=value[unit];warn;crit;min;max ...`.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

from healthd.cli.answers import Server, Service, Status
from healthd.cli.picture import counted
from healthd.printable import one_line

MOST_NAMES = 5
"""Names in the line; a pager shows little more."""


class Level(enum.IntEnum):
    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


def level(status: Status, services: Sequence[Service], servers: Sequence[Server]) -> Level:
    """A service without a server, or a table that is not as it should be, is critical."""
    if any(service.standing == "lost" for service in services) or not status.table.get("ok", True):
        return Level.CRITICAL
    wrong = any(server.state in {"down", "unknown"} for server in servers)
    short = any(service.available < service.min_available for service in services)
    return Level.WARNING if wrong or short or status.unusual else Level.OK


def line(status: Status, services: Sequence[Service], servers: Sequence[Server]) -> str:
    """Of these services and servers; what is unusual about the daemon is told too."""
    found = level(status, services, servers)
    lost = [service.name for service in services if service.standing == "lost"]
    down = [f"{server.service}/{server.name}" for server in servers if server.state == "down"]
    unknown = [f"{server.service}/{server.name}" for server in servers if server.state == "unknown"]
    parts = [
        *_named("lost", lost),
        *_named("down", down),
        *_named("unknown", unknown),
        *status.unusual[:MOST_NAMES],
    ] or [f"{counted(len(services), 'service')}, {counted(len(servers), 'server')}, nothing wrong"]
    # A bar would begin the performance data.
    text = one_line("; ".join(parts)).replace("|", "/")
    return f"HEALTHD {found.name} - {text} | {' '.join(_data(status, services, servers))}"


def failed(reason: str) -> str:
    """What is said when the daemon does not answer."""
    return f"HEALTHD UNKNOWN - {one_line(reason).replace('|', '/')}"


def _named(what: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return [f"{len(names)} {what}: {', '.join(names[:MOST_NAMES])}{more}"]


def _data(status: Status, services: Sequence[Service], servers: Sequence[Server]) -> list[str]:
    states = [server.state for server in servers]
    most = len(servers)
    counts = [f"'{name}'={states.count(name)};;;0;{most}" for name in ("up", "down", "unknown", "drain", "maintenance")]
    lost = sum(service.standing == "lost" for service in services)
    counts.append(f"'lost'={lost};;;0;{len(services)}")
    late = status.scheduler.get("late_p99")
    if isinstance(late, int | float):
        counts.append(f"'late_p99'={late:.6f}s;;;0;")
    return counts
