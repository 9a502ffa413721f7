"""The header of the PROXY protocol that is sent before all else, TLS included. Pure.

Source: "The PROXY protocol, versions 1 & 2", sections 2.1 and 2.2, as shipped with HAProxy.
"""

from __future__ import annotations

from typing import Literal

from checkers.base import Target

Version = Literal["v1", "v2"]

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_LOCAL = b"\x20"  # version 2, command LOCAL: the proxy itself asks, as for a health check
_NO_ADDRESSES = b"\x00\x00\x00"  # AF_UNSPEC, and nothing follows


def header(version: Version, source: tuple[str, int], target: Target) -> bytes:
    """What a server reads from `source` asking `target`.

    Version 1 names the check's own addresses, since its UNKNOWN is not taken by every server; version 2 says LOCAL.
    """
    if version == "v2":
        return _SIGNATURE + _LOCAL + _NO_ADDRESSES
    family = "TCP6" if ":" in target.address else "TCP4"
    address, port = source
    return f"PROXY {family} {address.partition('%')[0]} {target.address} {port} {target.port}\r\n".encode()
