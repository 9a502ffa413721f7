"""Ports for servers that are started later, or stopped and started again."""

from __future__ import annotations

import contextlib
import os
import random
import socket
from collections.abc import Iterator
from pathlib import Path

_RANGE = range(20_000, 32_768)
"""Below those that the kernel gives to clients (net.ipv4.ip_local_port_range): no connection takes one meanwhile."""


def _share() -> Iterator[int]:
    """Those of this process, each once: what runs beside it, as one of so many workers of pytest's, has others."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    share = _RANGE[worker :: int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))]
    yield from random.sample(share, len(share))


_ports = _share()


def free_port() -> int:
    """One of 127.0.0.1 that nobody has now, for TCP or for UDP, and that is given to nobody else later."""
    for port in _ports:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp, contextlib.suppress(OSError):
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
            return port
    raise AssertionError("every port of this process's share has been given away")


def free_ports(count: int) -> list[int]:
    """So many of them, no two the same."""
    return [free_port() for _ in range(count)]


def open_ports(protocol: str) -> set[int]:
    """Those that somebody has for `udp`, or listens at for `tcp`; nobody is connected to for it."""
    tables = [path for name in (protocol, f"{protocol}6") if (path := Path("/proc/net", name)).exists()]
    rows = [line.split() for path in tables for line in path.read_text().splitlines()[1:]]
    listening = "0A"  # TCP_LISTEN, include/net/tcp_states.h
    return {int(row[1].rpartition(":")[2], 16) for row in rows if protocol == "udp" or row[3] == listening}
