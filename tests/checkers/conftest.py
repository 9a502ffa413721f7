from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.checkers.certificates import Pki
from tests.checkers.nginx import Nginx, running
from tests.checkers.servers import ScriptedServers, TcpServer


@pytest.fixture
async def tcp_server() -> AsyncIterator[TcpServer]:
    """`host, port = await tcp_server(handler)`: a server on loopback, ended with the test."""
    servers = ScriptedServers()
    yield servers.start
    await servers.end()


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """An authority of this test run's own."""
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def login(tmp_path: Path) -> dict[str, Any]:
    """The options of a check that logs in."""
    (tmp_path / "password").write_text("open sesame\n")
    return {"user": "probe", "password_file": str(tmp_path / "password")}


@pytest.fixture(scope="module")  # not longer: other tests count this process's children
def nginx(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> Iterator[Nginx]:
    """A real nginx; what it serves stands in `nginx.py`."""
    with running(tmp_path_factory.mktemp("nginx"), pki) as ports:
        yield ports
