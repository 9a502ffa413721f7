"""grpc against gRPC's own library with its health service."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkers.base import Code, Status, Target
from checkers.grpc import Grpc
from tests.checkers.asking import ask
from tests.checkers.certificates import Pki
from tests.real import grpc_server
from tests.real.programs import Program, through_faults
from tests.support.ports import free_port


@contextlib.contextmanager
def running(folder: Path, certificate: Path | str) -> Iterator[Program]:
    port = free_port()
    with Program([sys.executable, grpc_server.__file__, str(port), certificate], folder, port=port) as program:
        yield program


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Program]:
    with running(folder, "") as program:
        yield program


async def test_through_faults(server: Program) -> None:
    """The whole server is SERVING; who has stopped refuses, and who hangs is cut off."""
    target = Target(address="127.0.0.1", port=server.port)
    healthy, *_ = await through_faults(Grpc(), target, server, refused=Code.L4CON, hung=Code.L7TOUT)
    assert str(healthy) == "L7OK the server is SERVING"


async def test_services(server: Program) -> None:
    """Each has a status of its own, and one that nobody knows is told apart from one that does not serve."""
    target = Target(address="127.0.0.1", port=server.port)
    assert str(await ask(Grpc(service="shop.Cart"), target)) == 'L7OK service "shop.Cart" is SERVING'
    outcome = await ask(Grpc(service="shop.Search"), target)
    assert str(outcome) == 'L7STS service "shop.Search" is NOT_SERVING; expected SERVING'
    outcome = await ask(Grpc(service="shop.Till"), target)
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7STS)
    assert outcome.detail == 'service "shop.Till": grpc-status 5 NOT_FOUND; expected 0 OK'


async def test_over_tls(folder: Path, pki: Pki) -> None:
    """The certificate is verified; an expired one is told."""
    for expired, code in ((False, Code.L7OK), (True, Code.L6RSP)):
        with running(folder, pki.issued("localhost", expired=expired)) as program:
            checker = Grpc(tls=True, ca_file=pki.ca_file, host="localhost")
            outcome = await ask(checker, Target(address="127.0.0.1", port=program.port))
        assert outcome.code == code, outcome
        assert ("certificate has expired" in outcome.detail) is expired
