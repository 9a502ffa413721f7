from collections.abc import AsyncIterator

import pytest

from tests.checkers.certificates import Pki
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
