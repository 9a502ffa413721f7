"""What sd_notify(3) says, spoken by ourselves: newline-separated assignments in a datagram to `NOTIFY_SOCKET`."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import MutableMapping
from typing import Self

log = logging.getLogger(__name__)

MOST_KEPT = 16
"""Datagrams that wait for a service manager that does not read; what is more is old, and left out."""


class Notifier:
    """`address` is a path, or with an @ in front a name in the abstract namespace; empty, nobody is told.

    `watchdog` is the time in seconds within which WATCHDOG=1 is expected again, None if it is not.
    """

    def __init__(self, address: str = "", watchdog: float | None = None) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._kept: list[bytes] = []
        self._failed = False
        self.watchdog = watchdog if address else None

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str]) -> Self:
        """Takes what is meant for this process out of `environment`, so that no script it starts speaks in its name."""
        address = environment.pop("NOTIFY_SOCKET", "")
        period = environment.pop("WATCHDOG_USEC", "")
        process = environment.pop("WATCHDOG_PID", "") or str(os.getpid())
        if address and address[0] not in "/@":
            log.warning('NOTIFY_SOCKET is "%s": expected a path, or @ and a name; nobody is told', address)
            address = ""
        ours = process == str(os.getpid()) and period.isdecimal() and int(period) > 0
        return cls(address, int(period) / 1e6 if ours else None)

    @property
    def heard(self) -> bool:
        """Whether there is anybody to tell."""
        return bool(self._address)

    def send(self, *assignments: str) -> None:
        """Never waits: what is not taken now is sent first the next time."""
        if not self._address:
            return
        self._kept = [*self._kept[1 - MOST_KEPT :], "\n".join(assignments).encode()]
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as out:
                while self._kept:
                    out.sendto(self._kept[0], self._address)
                    del self._kept[0]
        except BlockingIOError:
            pass
        except OSError as error:
            self._complain(error)

    def _complain(self, error: OSError) -> None:
        """Once: a service manager that is gone stays so, and whatever is wrong with its socket too."""
        if not self._failed:
            self._failed = True
            log.warning("the service manager cannot be told: %s: %s", self._address.replace("\0", "@"), error)
