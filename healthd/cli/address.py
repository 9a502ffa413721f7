"""ADDRESS[:PORT] on the command line, and the numeric addresses behind a name."""

from __future__ import annotations

import re
import socket

import click

_WRITTEN = re.compile(r"\[(?P<six>[^\[\]]+)\](?::(?P<port6>[0-9]+))?|(?P<host>[^:\[\]]+)(?::(?P<port>[0-9]+))?")


def split(written: str) -> tuple[str, int]:
    """Host and port; port 0 where there is none. An IPv6 address without a port needs no brackets.

    Raises:
        UsageError: it is neither.

    """
    if written.count(":") > 1 and "[" not in written:
        return written, 0
    match = _WRITTEN.fullmatch(written)
    if match is None:
        raise click.UsageError(
            f'"{written}" is not an address: expected 192.168.7.11, 192.168.7.11:80, [2001:db8::11]:80 or a host name'
        )
    digits = match["port6"] or match["port"]
    port = int(digits or 0)
    if digits is not None and not 1 <= port <= 65535:
        raise click.UsageError(f'"{written}": the port must be from 1 to 65535')
    return match["six"] or match["host"], port


def resolved(host: str) -> list[str]:
    """Its numeric addresses in the order of preference, each once.

    Raises:
        OSError: the name is not known, or nobody could be asked.

    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
