import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from tests.checkers.servers import ScriptedServers, TcpServer
from tests.healthd.alerts.hookserver import Receiver
from tests.healthd.alerts.mailserver import MailServers


@pytest.fixture
async def mail_servers() -> AsyncIterator[MailServers]:
    servers = MailServers()
    yield servers
    await servers.end()


@pytest.fixture
async def tcp_server() -> AsyncIterator[TcpServer]:
    """`host, port = await tcp_server(handler)`: a server on loopback, ended with the test."""
    servers = ScriptedServers()
    yield servers.start
    await servers.end()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    started = await Receiver().start()
    yield started
    await started.stop()
