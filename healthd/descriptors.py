"""How many files and sockets this process may have open, and how many of them are for checks."""

from __future__ import annotations

import resource

from checkers import spawn

_RESERVED = 32
"""For the table, logs, alerts, the loop and a reload; of a large limit an eighth is kept back."""


def raise_limit(usual: int | None = None) -> None:
    """The soft limit becomes the hard one: it protects programs that use select(2), which this one does not.

    Programs that are started here keep the soft limit of before; or `usual`, in a process whose parent has raised it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft if usual is None else min(usual, hard), hard))
    spawn.usual_limit()
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def for_peers() -> int:
    """How many connections to the control interface there may be, once by its socket and once on TCP."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(8, min(256, limit // 32))


def for_checks() -> int:
    """How many descriptors all checks together may have open at the same time."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, limit - max(_RESERVED, limit // 8))
