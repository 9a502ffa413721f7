"""http_proxy through Debian's tinyproxy, to Debian's nginx behind it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checkers.base import Code, Status, Target
from checkers.http_proxy import HttpProxy
from checkers.json_condition import JsonCondition
from tests.checkers.asking import ask
from tests.checkers.certificates import Pki
from tests.real.nginx import Ports, nginx
from tests.real.programs import Program, through_faults
from tests.support.ports import free_port

CONFIGURATION = """
Port {port}
Listen 127.0.0.1
Timeout 60
MaxClients 20
Allow 127.0.0.1
BasicAuth alice sesame
PidFile "{folder}/proxy.pid"
"""


@pytest.fixture(scope="module")
def origin(folder: Path, pki: Pki) -> Iterator[Ports]:
    (folder / "nginx").mkdir()
    program, ports = nginx(folder / "nginx", pki.issued("localhost"), pki.issued("localhost", expired=True))
    with program:
        yield ports


@pytest.fixture(scope="module")
def proxy(folder: Path) -> Iterator[Program]:
    port = free_port()
    configuration = folder / "tinyproxy.conf"
    configuration.write_text(CONFIGURATION.format(port=port, folder=folder))
    with Program(["tinyproxy", "-d", "-c", configuration], folder, port=port) as program:
        yield program


@pytest.fixture
def login(folder: Path) -> dict[str, Any]:
    file = folder / "password"
    file.write_text("sesame\n")
    return {"proxy_user": "alice", "proxy_password_file": str(file)}


async def test_through_faults(origin: Ports, proxy: Program, login: dict[str, Any]) -> None:
    """The whole URL is asked for; who has stopped refuses, and who hangs is cut off."""
    up = JsonCondition(path="$.status", value="up")
    checker = HttpProxy(host=f"localhost:{origin.plain}", path="/health", json=(up,), **login)
    target = Target(address="127.0.0.1", port=proxy.port)
    await through_faults(checker, target, proxy, refused=Code.L4CON, hung=Code.L7TOUT)


async def test_connect(origin: Ports, proxy: Program, pki: Pki, login: dict[str, Any]) -> None:
    """TLS with the server behind, through the proxy; an expired certificate is told."""
    target = Target(address="127.0.0.1", port=proxy.port)
    tls: dict[str, Any] = {"tls": True, "ca_file": pki.ca_file, **login}
    outcome = await ask(HttpProxy(host=f"localhost:{origin.tls}", path="/health", expect='"up"', **tls), target)
    assert str(outcome) == 'L7OK "HTTP/1.1 200 OK"'
    outcome = await ask(HttpProxy(host=f"localhost:{origin.expired}", **tls), target)
    assert str(outcome) == "L6RSP TLS handshake: certificate not accepted: certificate has expired"


async def test_what_the_proxy_refuses(origin: Ports, proxy: Program, login: dict[str, Any]) -> None:
    """A wrong password is 407, and a server that cannot be reached is the proxy's own 5xx."""
    target = Target(address="127.0.0.1", port=proxy.port)
    for tls in (False, True):
        outcome = await ask(HttpProxy(host=f"localhost:{origin.plain}", tls=tls), target)
        assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7STS)
        assert "407 Proxy Authentication Required" in outcome.detail
        outcome = await ask(HttpProxy(host=f"localhost:{free_port()}", tls=tls, **login), target)
        assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7STS)
        assert 'answered "HTTP/1.' in outcome.detail
    outcome = await ask(HttpProxy(host=f"localhost:{origin.plain}", path="/health", expect="down", **login), target)
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7RSP)
