"""The client of a test network: single requests, and a steady load whose every answer is kept."""

from __future__ import annotations

import http.client
import itertools
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.kernel.namespaces import Namespace, Switch
from tests.kernel.waiting import eventually

LONG = 10
"""Seconds that an answer may take on a busy machine."""


@dataclass(frozen=True)
class Answer:
    """`status` is 0 where there was none but an error."""

    status: int
    text: str
    server: str = ""

    @property
    def good(self) -> bool:
        return self.status == 200


@dataclass
class Load:
    answers: list[Answer] = field(default_factory=list)

    def failures(self) -> list[Answer]:
        return [answer for answer in self.answers if not answer.good]

    def goes_on(self) -> None:
        """Returns when some more requests have been answered, well or not."""
        goal = len(self.answers) + 6
        eventually(lambda: len(self.answers) >= goal, "more answers")


def get(
    asking: Namespace, address: str, port: int = 80, *, path: str = "/", seconds: float = LONG, source_port: int = 0
) -> Answer:
    """One HTTP request from this namespace, on a connection of its own."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with asking.inside():
        connected = socket.socket(family)
    connection = http.client.HTTPConnection(address, port)
    connection.sock = connected
    try:
        connected.settimeout(seconds)
        connected.bind(("", source_port))
        connected.connect((address, port))
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        return Answer(answer.status, text, answer.headers.get("X-Server", ""))
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, repr(error))
    finally:
        connection.close()


class Client(Namespace):
    """No port is used twice: IPVS would send a connection from a port that it remembers to the server of the last."""

    def __init__(self, name: str, switch: Switch, addresses: Sequence[str]) -> None:
        super().__init__(name)
        self._ports = itertools.count(10_000)
        switch.connect(self, addresses)

    def get(self, address: str, port: int = 80, *, path: str = "/", seconds: float = LONG) -> Answer:
        return get(self, address, port, path=path, seconds=seconds, source_port=next(self._ports))

    def ask_dns(self, query: bytes, address: str, port: int = 53, *, seconds: float = LONG) -> bytes:
        """The datagram that answers `query`. Raises OSError (TimeoutError) without one."""
        with self.inside():
            asking = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        with asking:
            asking.settimeout(seconds)
            asking.connect((address, port))
            asking.send(query)
            return asking.recv(4096)

    @contextmanager
    def load(self, address: str, port: int = 80, *, every: float = 0.05) -> Iterator[Load]:
        """Requests, one after the other, for as long as the block lasts."""
        load, over = Load(), threading.Event()

        def ask() -> None:
            while not over.wait(every):
                load.answers.append(self.get(address, port))

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            yield load
        finally:
            over.set()
            thread.join()
