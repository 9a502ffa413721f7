import asyncio
from pathlib import Path

from checkers.base import Outcome, Status, Target
from checkers.http import Http, Https
from tests.checkers.asking import ask, ask_once
from tests.checkers.certificates import Pki
from tests.checkers.nginx import Nginx
from tests.checkers.servers import Canned, TcpServer

PASS = (Status.PASS, "L7OK")
WRONG_STATUS = (Status.FAIL, "L7STS")


def at(port: int, address: str = "127.0.0.1") -> Target:
    return Target(address=address, port=port)


def verdict(outcome: Outcome) -> tuple[Status, str]:
    return outcome.status, outcome.code


async def test_redirects_are_followed_when_asked(nginx: Nginx) -> None:
    """A redirect is followed on the same real server: relative, or to another host, which is then the Host field."""
    relative = await ask(Http(path="/relative", follow_redirects=1, expect="all is well"), at(nginx.plain))
    assert str(relative) == 'L7OK "HTTP/1.1 200 OK" after 1 redirect, last to "/page.html"'
    absolute = Http(path="/absolute", follow_redirects=1, expect="virtual host")
    assert verdict(await ask(absolute, at(nginx.plain))) == PASS


async def test_redirect_to_https_but_never_back(nginx: Nginx, pki: Pki) -> None:
    """From http to https the port is the location's and TLS is verified; from https to http nothing is followed."""
    up = Http(path="/secured", follow_redirects=1, ca_file=pki.ca_file, expect="all is well")
    assert verdict(await ask(up, at(nginx.plain))) == PASS
    down = Https(path="/insecure", follow_redirects=1, ca_file=pki.ca_file, host="localhost")
    outcome = await ask(down, at(nginx.tls))
    assert verdict(outcome) == WRONG_STATUS
    assert "302" in outcome.detail


async def test_redirect_loop_ends_at_the_limit(nginx: Nginx) -> None:
    """After as many redirects as asked for, the next one is judged by its status."""
    outcome = await ask(Http(path="/loop", follow_redirects=3), at(nginx.plain))
    assert verdict(outcome) == WRONG_STATUS
    assert 'after 3 redirects, last to "/loop", Location "/loop"' in outcome.detail


async def test_credentials_stay_with_their_host(tcp_server: TcpServer, tmp_path: Path) -> None:
    """A redirect to another host is asked without password and cookie; one on the same host keeps them."""
    file = tmp_path / "password"
    file.write_text("secret")
    server = Canned(
        b"HTTP/1.1 302 Found\r\nLocation: /here\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: //other.test/there\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    )
    host, port = await tcp_server(server)
    checker = Http(
        host="www.test", user="a", password_file=str(file), headers={"Cookie": "c=1", "X-A": "b"}, follow_redirects=5
    )
    assert verdict(await ask_once(checker, Target(address=host, port=port))) == PASS
    assert [request.split("\r\n")[:2] for request in server.requests] == [
        ["GET / HTTP/1.1", "Host: www.test"],
        ["GET /here HTTP/1.1", "Host: www.test"],
        ["GET /there HTTP/1.1", "Host: other.test"],
    ]
    assert ["Authorization: Basic" in request and "Cookie: c=1" in request for request in server.requests] == [
        True,
        True,
        False,
    ]
    assert all("X-A: b" in request for request in server.requests)


async def test_post_sends_its_body_and_not_along_a_302(tcp_server: TcpServer) -> None:
    """POST carries `body` with its length; after a 302 the new location is asked with GET and without it."""
    received: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        received.append(head.split(b"\r\n")[0] + (await reader.readexactly(7) if b"Length: 7" in head else b""))
        writer.write(
            b"HTTP/1.1 200 OK\r\n\r\n" if b"/next" in head else b"HTTP/1.1 302 Found\r\nLocation: next\r\n\r\n"
        )

    host, port = await tcp_server(handler)
    checker = Http(method="POST", body="q=\u00fcber", headers={"Content-Type": "text/plain"}, follow_redirects=1)
    assert verdict(await ask_once(checker, Target(address=host, port=port))) == PASS
    assert received == [b"POST / HTTP/1.1q=\xc3\xbcber", b"GET /next HTTP/1.1"]


async def test_tls_name_is_for_the_first_host_only(tcp_server: TcpServer, pki: Pki) -> None:
    """After a redirect to another host, that host's name is sent and verified."""
    seen: list[str | None] = []
    context = pki.server(pki.issued("first.test", "other.test"))
    context.sni_callback = lambda _object, name, _context: seen.append(name)
    server = Canned(
        b"HTTP/1.1 307 Moved\r\nLocation: /a\r\n\r\n",
        b"HTTP/1.1 307 Moved\r\nLocation: https://other.test/b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    )
    host, port = await tcp_server(server, context=context)
    checker = Https(ca_file=pki.ca_file, tls_name="first.test", follow_redirects=2)
    assert verdict(await ask_once(checker, Target(address=host, port=port))) == PASS
    assert seen == ["first.test", "first.test", "other.test"]
