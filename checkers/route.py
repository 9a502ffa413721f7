"""By which way the packets of a check leave this machine: the options that every kind has in common. Pure.

Nearly no check has one, so that a `Target` without costs one reference.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass

from checkers.outcome import show

OPTIONS = ("source", "interface", "mark")

_LONGEST_INTERFACE = 15  # IFNAMSIZ less the final NUL (linux/if.h)


@dataclass(frozen=True, slots=True)
class Route:
    """`source` is the address to send from, `interface` the only device used, `mark` is for `ip rule` and filters.

    Empty, and 0, stand for the kernel's own choice.
    """

    source: str = ""
    interface: str = ""
    mark: int = 0

    def complaint(self, address: str | None) -> tuple[str, str] | None:
        """The option that can never work and what is wrong with it; `address` is the one asked, where it is known."""
        if self.source and (family := family_of(self.source)) is None:
            return (
                "source",
                f'expected an IPv4 or IPv6 address of this machine such as "192.168.7.2", not {show(self.source)}',
            )
        if self.source and address and family is not family_of(address):
            return "source", f"{self.source} cannot send to {address}: one is IPv4 and the other IPv6"
        if self.interface and not _is_interface(self.interface):
            expected = f'expected the name of a network device such as "eth0", of at most {_LONGEST_INTERFACE} bytes'
            return "interface", f"{expected}, not {show(self.interface)}"
        if not 0 <= self.mark <= 0xFFFFFFFF:
            return "mark", f"must be from 1 to 4294967295, not {self.mark}"
        return None


def family_of(address: str) -> socket.AddressFamily | None:
    """None for what is no numeric address; one with a zone (`%eth0`) is none either."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        socket.inet_pton(family, address)
    except (OSError, ValueError):
        return None
    return family


def _is_interface(name: str) -> bool:
    """The kernel's own rule, dev_valid_name() in net/core/dev.c."""
    data = name.encode("utf-8", "surrogateescape")
    return (
        len(data) <= _LONGEST_INTERFACE
        and name not in (".", "..")
        and not any(c in "/:\0" or c.isspace() for c in name)
    )
