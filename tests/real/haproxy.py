"""HAProxy, from Debian's haproxy, as a judge: what its own checks think of a server."""

from __future__ import annotations

import asyncio
import csv
import io
import socket
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.real.programs import PATIENCE, Program

CONFIGURATION = """\
global
    stats socket {folder}/admin level admin
    log stdout format raw local0
defaults
    mode tcp
    timeout connect 1s
    timeout client 5s
    timeout server 5s
    timeout check 1s
"""


STATUS = {"no check": "UP"}  # what a server is called that only an agent speaks for


@dataclass(frozen=True)
class Opinion:
    """`status` is UP, DOWN, DRAIN or MAINT, as the statistics show it; `weight` the effective one."""

    status: str
    weight: int


class Haproxy:
    """`sections` follow the configuration's own beginning, and have it listen at `ports`; use it as `with`."""

    def __init__(self, folder: Path, sections: str, ports: Collection[int] = ()) -> None:
        self._socket = folder / "admin"
        configuration = folder / "haproxy.cfg"
        configuration.write_text(CONFIGURATION.format(folder=folder) + sections)
        self.program = Program(["haproxy", "-db", "-f", configuration], folder, ready=self._socket, more=ports)

    def __enter__(self) -> Self:
        self.program.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.program.stop()

    def told(self, command: str) -> str:
        """The answer of the statistics socket."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(self._socket))
            sock.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: sock.recv(65536), b"")).decode()

    def opinions(self) -> Mapping[str, Opinion]:
        """By `backend/server`."""
        rows = csv.DictReader(io.StringIO(self.told("show stat").removeprefix("# ")))
        return {
            f"{row['pxname']}/{row['svname']}": Opinion(
                STATUS.get(row["status"], row["status"].split()[0]), int(row["weight"] or 0)
            )
            for row in rows
            if row["svname"] not in ("FRONTEND", "BACKEND")
        }

    async def until(self, name: str, good: Callable[[Opinion], bool]) -> Opinion:
        """The first opinion that is so: HAProxy asks when its time has come."""
        give_up = time.monotonic() + PATIENCE
        while not good(opinion := self.opinions()[name]):
            assert time.monotonic() < give_up, f"{name} is still {opinion}"
            await asyncio.sleep(0.02)
        return opinion
