"""Configurations for commands, of servers that are nothing but ports: a TCP check needs no more."""

import socket
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.ports import free_port

BACKLOG = 4096
"""Nobody takes the connections of checks, and where the queue is full the next one finds no answer."""


class Port:
    """A port on loopback that listens, or does not, and stays the same: meanwhile nobody else can have it."""

    def __init__(self) -> None:
        self.number = free_port()
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", self.number))
        self.open()

    def open(self) -> None:
        self._socket.listen(BACKLOG)

    def close(self) -> None:
        """It stays bound, and listens no more: whoever connects is refused."""
        self._socket.shutdown(socket.SHUT_RDWR)

    def give_back(self) -> None:
        self._socket.close()

    @property
    def where(self) -> str:
        return f"127.0.0.1:{self.number}"


class Site:
    """A folder with a configuration that grows service by service."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "healthd.toml"
        self.state_dir = folder / "state"
        self.write(f'[healthd]\ntable = "memory"\nstate_dir = "{self.state_dir}"\n[defaults]\ntimeout = "2s"\n')
        self._ports = ExitStack()
        self._services = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ports.close()

    @property
    def socket(self) -> Path:
        """Where a daemon with this configuration can be asked."""
        return self.state_dir / "control.sock"

    def write(self, text: str) -> None:
        self.path.write_text(text)

    def port(self) -> Port:
        port = Port()
        self._ports.callback(port.give_back)
        return port

    def service(self, name: str, *ports: Port, check: str = '{ type = "tcp" }', more: str = "") -> None:
        """Adds a service; `more` are lines of its table."""
        self._services += 1
        servers = "".join(
            f'[[service.{name}.server]]\naddress = "127.0.0.1"\nport = {port.number}\nweight = 2\n' for port in ports
        )
        virtual = f"192.0.2.{self._services}:80"
        table = f'[service.{name}]\nvirtual = "{virtual}"\ncheck = {check}\n{more}\n{servers}'
        self.write(self.path.read_text() + table)
