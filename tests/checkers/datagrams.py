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
import socket, sys
sock = socket.socket(fileno=int(sys.argv[1]))
print("ready", flush=True)
data, host, port = input().split()
data, address = bytes.fromhex(data), (host, int(port))
sock.setblocking(True)
while True:
    try:
        sock.sendto(data, address)
    except ConnectionRefusedError:
        pass  # the one who asked has hung up
"""


@contextlib.contextmanager
def flood(sock: socket.socket) -> Iterator[Callable[[bytes, tuple[str, int]], None]]:
    """`begin(data, address)`: from then on another process sends from `sock` without a pause, until the end of this."""
    command = [sys.executable, "-ISc", _FLOOD, str(sock.fileno())]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, pass_fds=[sock.fileno()]
    ) as process:
        assert process.stdin
        assert process.stdout
        order = process.stdin
        try:
            assert process.stdout.readline() == "ready\n"
            yield lambda data, address: print(data.hex(), *address, file=order)
        finally:
            process.kill()
