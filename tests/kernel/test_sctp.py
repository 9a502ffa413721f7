"""The `sctp` check on a kernel that has SCTP, which the lab's loads when it is first asked for."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from checkers.base import Code, Status, Target
from checkers.sctp import Sctp
from tests.checkers.asking import ask

SERVER = """
import socket, sys
address = sys.argv[1]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_SCTP)
sock.bind((address, 0))
sock.listen(1)
print(sock.getsockname()[1], flush=True)
while True:
    sock.accept()[0].close()
"""


@pytest.fixture(scope="module", autouse=True)
def needs_sctp() -> None:
    """A kernel without is no fault of the check's."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP).close()
    except OSError as error:
        pytest.skip(f"this kernel has no SCTP: {error}")


@pytest.fixture(params=["127.0.0.1", "::1"])
def server(request: pytest.FixtureRequest) -> Iterator[tuple[Target, subprocess.Popen[str]]]:
    with subprocess.Popen([sys.executable, "-c", SERVER, request.param], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        yield Target(address=request.param, port=int(program.stdout.readline())), program
        program.kill()


async def test_associations(server: tuple[Target, subprocess.Popen[str]]) -> None:
    """An association passes; one to a port that nobody has is aborted at once, and one to nobody at all is late."""
    target, program = server
    outcome = await ask(Sctp(), target, 30)
    assert (outcome.status, str(outcome)) == (Status.PASS, f"L4OK connected to {target.where} by SCTP")
    program.send_signal(signal.SIGKILL)
    program.wait()
    gone = await ask(Sctp(), target, 30)
    assert (gone.status, gone.code) == (Status.FAIL, Code.L4CON), gone
    assert "ECONNREFUSED" in gone.detail


async def test_the_way_is_chosen(server: tuple[Target, subprocess.Popen[str]]) -> None:
    """`source`, `interface` and `mark` hold for SCTP too."""
    target, _ = server
    checker = Sctp(source=target.address, interface="lo", mark=7)
    outcome = await ask(checker, Target(address=target.address, port=target.port, route=checker.route), 30)
    assert outcome.status is Status.PASS, outcome


@pytest.fixture
def silence() -> Iterator[Target]:
    """Where packets go and none comes back from."""

    def ip(command: str) -> None:
        subprocess.run(["ip", *command.split()], check=True)

    ip("link add near type veth peer name far")
    ip("link set near up")
    ip("address add 192.0.2.1/24 dev near")
    ip("neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev near")
    yield Target(address="192.0.2.9", port=9)
    ip("link delete near")


async def test_nobody_answers(silence: Target) -> None:
    """Without a word from the other side the check ends at its deadline."""
    outcome = await ask(Sctp(), silence, 0.5)
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L4TOUT), outcome
