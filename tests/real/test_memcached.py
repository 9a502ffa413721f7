"""Memcached, from Debian's memcached, over TCP and UDP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from checkers.base import Code, Status, Target
from checkers.memcached import Memcached
from checkers.udp import Udp
from tests.checkers.asking import ask
from tests.real.programs import Program, through_faults
from tests.support.ports import free_port


@pytest.fixture(scope="module")
def memcached(folder: Path) -> Iterator[Program]:
    port = free_port()
    command = ["memcached", "-u", "nobody", "-l", "127.0.0.1", "-p", str(port), "-U", str(port)]
    with Program(command, folder, port=port, udp=[port]) as program:
        yield program


async def test_through_faults(memcached: Program) -> None:
    """The version is told; who has stopped refuses, and who hangs is cut off."""
    target = Target(address="127.0.0.1", port=memcached.port)
    outcomes = await through_faults(Memcached(), target, memcached, refused=Code.L4CON, hung=Code.L7TOUT)
    assert outcomes[0].detail.startswith('answered "VERSION 1.')


REQUEST = b"\x12\x34" + b"\0\0\0\1\0\0" + b"version\r\n"
"""An id, the number of this datagram, how many there are, and nothing: protocol.txt of memcached, "UDP protocol"."""


async def test_udp_through_faults(memcached: Program) -> None:
    """The datagram is answered; the port of who has stopped is closed, as ICMP tells; who hangs is silent."""
    target = Target(address="127.0.0.1", port=memcached.port)
    checker = Udp(send_hex=REQUEST.hex(), expect="VERSION 1.")
    outcomes = await through_faults(checker, target, memcached, refused=Code.L4CON, hung=Code.L7TOUT)
    assert "VERSION 1." in outcomes[0].detail
    assert "ECONNREFUSED" in outcomes[3].detail


async def test_udp_wrong_content(memcached: Program) -> None:
    """Another answer than the expected one fails by its own code."""
    target = Target(address="127.0.0.1", port=memcached.port)
    outcome = await ask(Udp(send_hex=REQUEST.hex(), expect="VERSION 9"), target)
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7RSP)
    assert outcome.detail.startswith('"VERSION 9" not found in the datagram, received ')


async def test_udp_silence(memcached: Program) -> None:
    """What it does not understand it does not answer, and the option says what that means."""
    target = Target(address="127.0.0.1", port=memcached.port)
    assert (await ask(Udp(send="?"), target, 0.2)).code == Code.L7TOUT
    assert (await ask(Udp(send="?", silence="pass"), target, 0.2)).code == Code.L4OK
