"""A UDP server on loopback that sends back whatever a test wants, and a flood of datagrams."""

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator

from checkers.base import Target

Answer = Callable[[bytes], list[bytes]]
"""From a datagram received to those sent back."""


@contextlib.asynccontextmanager
async def udp_server(answer: Answer) -> AsyncIterator[tuple[Target, list[bytes]]]:
    """A server, with the list of the datagrams it got."""
    received: list[bytes] = []
    loop = asyncio.get_running_loop()

    def ready() -> None:
        data, sender = sock.recvfrom(65536)
        received.append(data)
        for message in answer(data):
            sock.sendto(message, sender)

    with udp_socket() as sock:
        loop.add_reader(sock, ready)
        try:
            yield Target(address="127.0.0.1", port=sock.getsockname()[1]), received
        finally:
            loop.remove_reader(sock)


def udp_socket() -> socket.socket:
    """A non-blocking socket on a free port of loopback."""
    sock = socket.socket(type=socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    sock.bind(("127.0.0.1", 0))
    return sock


_FLOOD = """
import socket, sys, time
sock = socket.socket(fileno=int(sys.argv[1]))
data, address, end = bytes.fromhex(sys.argv[2]), (sys.argv[3], int(sys.argv[4])), time.monotonic() + 4
sock.setblocking(True)
while time.monotonic() < end:
    for _ in range(100):
        try:
            sock.sendto(data, address)
        except ConnectionRefusedError:
            pass  # the one who asked has hung up
"""


@contextlib.contextmanager
def flood(sock: socket.socket, data: bytes, address: tuple[str, int]) -> Iterator[None]:
    """While it lasts, another process sends `data` from `sock` without a pause; for four seconds at most."""
    arguments = [str(sock.fileno()), data.hex(), address[0], str(address[1])]
    with subprocess.Popen([sys.executable, "-ISc", _FLOOD, *arguments], pass_fds=[sock.fileno()]) as process:
        try:
            yield
        finally:
            process.kill()
