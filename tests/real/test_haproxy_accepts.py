"""HAProxy and nginx, from Debian's haproxy and nginx-light, that take no connection without a PROXY header."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checkers.base import Code, Status, Target
from checkers.dialog import Dialog
from checkers.http import Http, Https
from checkers.tcp import Tcp
from tests.checkers.asking import ask
from tests.checkers.certificates import Pki
from tests.real.haproxy import Haproxy
from tests.real.programs import Program
from tests.support.ports import free_ports

HAPROXY = """\
frontend plain
    mode http
    bind 127.0.0.1:{plain} accept-proxy
    bind 127.0.0.1:{tls} accept-proxy ssl crt {file}
    http-request return status 200 content-type text/plain lf-string "header %[fc_rcvd_proxy], from %[src]"
"""
NGINX = """\
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder};
    proxy_temp_path {folder};
    fastcgi_temp_path {folder};
    uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port} proxy_protocol;
        return 200 "from $proxy_protocol_addr";
    }}
}}
"""

versions = pytest.mark.parametrize("version", ["v1", "v2"])


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    return dict(zip(("plain", "tls", "nginx"), free_ports(3), strict=True))


@pytest.fixture(scope="module")
def servers(folder: Path, pki: Pki, ports: dict[str, int]) -> Iterator[None]:
    (folder / "nginx").mkdir(mode=0o777)
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder / "nginx", port=ports["nginx"]))
    sections = HAPROXY.format(**ports, file=pki.issued("127.0.0.1"))
    nginx = Program(["nginx", "-c", configuration], folder, port=ports["nginx"])
    with Haproxy(folder, sections, [ports["plain"], ports["tls"]]), nginx:
        yield


def at(port: int) -> Target:
    return Target(address="127.0.0.1", port=port)


@versions
async def test_with_a_header(servers: None, ports: dict[str, int], pki: Pki, version: Any) -> None:
    """In the clear, and before TLS, in either version; the server takes the check for what it is."""
    for checker, port in (
        (Http(proxy_protocol=version, expect="header 1, from 127.0.0.1"), "plain"),
        (Https(proxy_protocol=version, ca_file=pki.ca_file, expect="header 1, from 127.0.0.1"), "tls"),
        (Http(proxy_protocol=version, expect="from 127.0.0.1" if version == "v1" else "from "), "nginx"),
        (Dialog(proxy_protocol=version, send="GET / HTTP/1.0\r\n\r\n", expect="200 OK"), "nginx"),
        (Dialog(proxy_protocol=version, send="GET / HTTP/1.0\r\n\r\n", expect="header 1"), "plain"),
        (Tcp(proxy_protocol=version), "plain"),
    ):
        outcome = await ask(checker, at(ports[port]))
        assert outcome.status is Status.PASS, outcome


async def test_without_a_header(servers: None, ports: dict[str, int], pki: Pki) -> None:
    """The same servers fail whoever comes without one."""
    for checker, port, code in (
        (Http(), "plain", Code.L7RSP),
        (Https(ca_file=pki.ca_file), "tls", Code.L6RSP),
        (Http(), "nginx", Code.L7RSP),
        (Dialog(send="GET / HTTP/1.0\r\n\r\n", expect="200"), "nginx", Code.L7RSP),
    ):
        outcome = await ask(checker, at(ports[port]))
        assert (outcome.status, outcome.code) == (Status.FAIL, code), outcome
