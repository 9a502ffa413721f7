"""websocket against a server on the library websockets."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkers.base import Code, Outcome, Status, Target
from checkers.websocket import WebSocket
from tests.checkers.asking import ask, longer
from tests.checkers.certificates import Pki
from tests.real import websocket_server
from tests.real.programs import Program, through_faults
from tests.support.ports import free_port


@contextlib.contextmanager
def running(folder: Path, certificate: Path | str) -> Iterator[Program]:
    port = free_port()
    command = [sys.executable, websocket_server.__file__, str(port), certificate]
    with Program(command, folder, port=port) as program:
        yield program


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Program]:
    with running(folder, "") as program:
        yield program


async def test_through_faults(server: Program) -> None:
    """An echo comes back, a ping is answered and the close frame too; who has stopped refuses, who hangs is cut off."""
    checker = WebSocket(subprotocol="chat", send="are you well", expect="well", ping=True)
    target = Target(address="127.0.0.1", port=server.port)
    healthy, *_ = await through_faults(checker, target, server, refused=Code.L4CON, hung=Code.L7TOUT)
    assert healthy.detail.endswith('protocol "chat", received "are you well", ping answered')


async def test_wrong_content(server: Program) -> None:
    """An echo of something else, and a subprotocol that the server does not speak."""
    target = Target(address="127.0.0.1", port=server.port)
    sick = WebSocket(subprotocol="chat", send="sick", expect="well")

    def answered(outcome: Outcome) -> bool:
        return outcome.detail.endswith('while waiting for "well"')

    outcome = await longer(lambda seconds: ask(sick, target, seconds), 0.5, answered)
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7TOUT)
    assert answered(outcome)
    outcome = await ask(WebSocket(subprotocol="mqtt"), target)
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7STS)
    assert "400 Bad Request" in outcome.detail


async def test_over_tls(folder: Path, pki: Pki) -> None:
    """The certificate is verified; an expired one is told."""
    for expired, code in ((False, Code.L7OK), (True, Code.L6RSP)):
        with running(folder, pki.issued("localhost", expired=expired)) as program:
            checker = WebSocket(tls=True, ca_file=pki.ca_file, host="localhost", subprotocol="chat")
            outcome = await ask(checker, Target(address="127.0.0.1", port=program.port))
        assert outcome.code == code
        assert ("certificate has expired" in outcome.detail) is expired
