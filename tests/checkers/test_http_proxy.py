"""Requests through a proxy that a test plays itself; a real one is in tests/real."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from checkers.base import OptionError, Status, Target
from checkers.http_proxy import HttpProxy
from tests.checkers.asking import ask, ask_once
from tests.checkers.certificates import Pki
from tests.checkers.servers import Canned, Handler, TcpServer

OK = b"HTTP/1.1 200 OK\r\n\r\n"


def forwarding(port: int, requests: list[str], answer: bytes = OK) -> Handler:
    """A proxy that answers CONNECT and then carries bytes to `port` and back."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(answer)
        there, away = await asyncio.open_connection("127.0.0.1", port)

        async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(4096):
                sink.write(data)
            sink.close()

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(carry(reader, away))
                group.create_task(carry(there, writer))
        except* ConnectionError:
            pass
        finally:
            away.transport.abort()

    return handler


async def test_the_request_names_the_whole_url(tcp_server: TcpServer) -> None:
    """RFC 9112, section 3.2.2; the answer is judged as with http."""
    proxy = Canned(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell")
    host, port = await tcp_server(proxy)
    checker = HttpProxy(host="www.example.com:8080", path="/x?y", expect="well")
    assert str(await ask(checker, Target(address=host, port=port))) == 'L7OK "HTTP/1.1 200 OK"'
    lines = proxy.requests[0].split("\r\n")
    assert lines[:2] == ["GET http://www.example.com:8080/x?y HTTP/1.1", "Host: www.example.com:8080"]
    outcome = await ask(HttpProxy(host="www.example.com", expect="sick"), Target(address=host, port=port))
    assert (outcome.status, outcome.code) == (Status.FAIL, "L7RSP")


async def test_a_redirect_goes_through_the_proxy_too(tcp_server: TcpServer) -> None:
    """To another host, on whatever port; it is the proxy that has to reach it."""
    proxy = Canned(b"HTTP/1.1 302 Found\r\nLocation: http://other.test:81/next\r\n\r\n", OK)
    host, port = await tcp_server(proxy)
    checker = HttpProxy(host="www.example.com", follow_redirects=1, headers={"Cookie": "a=b"})
    assert (await ask_once(checker, Target(address=host, port=port))).code == "L7OK"
    assert "Cookie: a=b\r\n" in proxy.requests[0]
    assert proxy.requests[1].startswith("GET http://other.test:81/next HTTP/1.1\r\nHost: other.test:81\r\n")
    assert "Cookie" not in proxy.requests[1]


async def test_the_proxys_password_goes_to_the_proxy(tcp_server: TcpServer, tmp_path: Path) -> None:
    """With a request in the clear it is a field of it."""
    file = tmp_path / "password"
    file.write_text("open sesame\n")
    proxy = Canned(OK)
    host, port = await tcp_server(proxy)
    checker = HttpProxy(host="www.example.com", proxy_user="alice", proxy_password_file=str(file))
    await ask(checker, Target(address=host, port=port))
    encoded = base64.b64encode(b"alice:open sesame").decode()
    assert f"Proxy-Authorization: Basic {encoded}\r\n" in proxy.requests[0]
    assert encoded not in repr(checker)


async def test_tls_goes_through_a_tunnel(tcp_server: TcpServer, pki: Pki, tmp_path: Path) -> None:
    """The proxy is told to CONNECT, and sees no more than that; the certificate is held against the server's name."""
    file = tmp_path / "password"
    file.write_text("open sesame\n")
    origin = Canned(OK)
    _, behind = await tcp_server(origin, context=pki.server(pki.issued("www.example.com")))
    seen: list[str] = []
    host, port = await tcp_server(forwarding(behind, seen))
    options: dict[str, Any] = {"tls": True, "ca_file": pki.ca_file}
    options |= {"proxy_user": "alice", "proxy_password_file": str(file)}
    target = Target(address=host, port=port)
    assert (await ask(HttpProxy(host="www.example.com", path="/secret", **options), target)).code == "L7OK"
    assert seen[0].startswith("CONNECT www.example.com:443 HTTP/1.1\r\nHost: www.example.com:443\r\nProxy-Auth")
    assert origin.requests[0].startswith("GET /secret HTTP/1.1\r\nHost: www.example.com\r\n")
    assert "Proxy-Authorization" not in origin.requests[0]
    outcome = await ask(HttpProxy(host="other.example.com", **options), target)
    assert outcome.code == "L6RSP"
    assert "certificate not accepted" in outcome.detail


@pytest.mark.parametrize(
    ("answer", "code", "why"),
    [
        (
            b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            "L7STS",
            'answered "HTTP/1.1 407 Proxy Authentication Required" to CONNECT "www.example.com:443"; expected status 2',
        ),
        (b"HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\ntoo bad", "L7STS", 'answered "HTTP/1.1 503 No" to CONNECT'),
        (b"SSH-2.0-x\r\n", "L7RSP", "not an HTTP answer"),
        (b"", "L7RSP", "connection closed without an answer"),
        (OK + b"surprise", "L7RSP", r'and sent more than that: "HTTP/1.1 200 OK\r\n\r\nsurprise"'),
        (OK, "L6RSP", "TLS handshake: connection closed by the server"),
        (OK[:10], "L7RSP", "connection closed in the middle of the header"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 9000, "L7RSP", "header longer than 16384 bytes"),
    ],
)
async def test_a_tunnel_that_is_not_dug(tcp_server: TcpServer, answer: bytes, code: str, why: str) -> None:
    """The proxy's refusal is told apart from an answer that is none and from TLS that does not follow."""
    host, port = await tcp_server(Canned(answer))
    outcome = await ask(HttpProxy(host="www.example.com", tls=True), Target(address=host, port=port))
    assert (outcome.status, outcome.code) == (Status.FAIL, code)
    assert why in outcome.detail


async def test_a_silent_proxy_ends_at_the_deadline(tcp_server: TcpServer) -> None:
    """While CONNECT is waited for, and while TLS is."""
    host, port = await tcp_server(Canned(b"", stay=True))
    checker = HttpProxy(host="www.example.com", tls=True)
    outcome = await ask(checker, Target(address=host, port=port), 0.3)
    assert outcome.code == "L7TOUT"
    assert outcome.detail.endswith('while waiting for the answer to CONNECT "www.example.com:443"')
    host, port = await tcp_server(Canned(OK, stay=True))
    outcome = await ask(checker, Target(address=host, port=port), 0.3)
    assert outcome.code == "L6TOUT"
    assert outcome.detail.endswith(f"while shaking hands for TLS with www.example.com:443 behind {host}:{port}")


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({}, "host", 'missing: the server that the proxy is asked for, such as "www.example.com"'),
        ({"host": "a/b"}, "host", "must be a name or an address"),
        ({"host": "a", "proxy_user": "u"}, "proxy_user", "needs proxy_password_file"),
        ({"host": "a", "proxy_password_file": "/x"}, "proxy_password_file", "needs proxy_user"),
        (
            {"host": "a", "proxy_user": "u", "proxy_password_file": "/no/such"},
            "proxy_password_file",
            'cannot read "/no/such"',
        ),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], option: str, message: str) -> None:
    """The error names the option and what it should be."""
    with pytest.raises(OptionError) as caught:
        HttpProxy(**options)
    assert caught.value.option == option
    assert message in str(caught.value)
