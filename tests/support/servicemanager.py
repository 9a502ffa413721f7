"""What systemd is to a service: a datagram socket that it writes to."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE = 60  # seconds that anything may take on a busy machine


class ServiceManager:
    """`said` are the datagrams so far, as lists of assignments. `address` goes into NOTIFY_SOCKET."""

    def __init__(self, address: str | Path) -> None:
        self.address = str(address)
        self.said: list[list[str]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(f"\0{self.address[1:]}" if self.address.startswith("@") else self.address)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def listen(self) -> list[list[str]]:
        """Takes in what has come; all of it so far."""
        while True:
            try:
                self.said.append(self._socket.recv(65536).decode().split("\n"))
            except BlockingIOError:
                return self.said

    def heard(self, assignment: str) -> int:
        """How often it was told something that begins like this."""
        return sum(each.startswith(assignment) for datagram in self.listen() for each in datagram)

    async def hears(self, assignment: str, times: int = 1) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.heard(assignment) < times:  # noqa: ASYNC110 - a socket of the kernel's tells nobody
                await asyncio.sleep(0.01)
