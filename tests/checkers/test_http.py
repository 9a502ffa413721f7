import asyncio
import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checkers.base import OptionError, Outcome, Status, Target
from checkers.http import Http, Https
from tests.checkers.asking import ask
from tests.checkers.certificates import Pki
from tests.checkers.nginx import Nginx, running
from tests.checkers.servers import Canned, TcpServer

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> Iterator[Nginx]:
    with running(tmp_path_factory.mktemp("nginx"), pki) as ports:
        yield ports


def at(port: int, address: str = "127.0.0.1") -> Target:
    return Target(address=address, port=port)


def verdict(outcome: Outcome) -> tuple[Status, str]:
    return outcome.status, outcome.code


PASS = (Status.PASS, "L7OK")
WRONG_STATUS = (Status.FAIL, "L7STS")
WRONG_ANSWER = (Status.FAIL, "L7RSP")


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        ("/page.html", "200-299", PASS),
        ("/status/204", "200-299", PASS),
        ("/status/204", "200", WRONG_STATUS),
        ("/status/404", "200-299", WRONG_STATUS),
        ("/status/404", "200, 404", PASS),
        ("/status/503", "500-502,504-599", WRONG_STATUS),
        ("/relative", "200-299", WRONG_STATUS),
        ("/relative", "301-302", PASS),
    ],
)
async def test_status_decides(nginx: Nginx, path: str, status: str, expected: tuple[Status, str]) -> None:
    """A status passes when `status` lists it; a redirect that is not to be followed is judged like any other."""
    assert verdict(await ask(Http(path=path, status=status), at(nginx.plain))) == expected


async def test_the_detail_is_the_status_line(nginx: Nginx) -> None:
    """A wrong status is shown with what was expected, a redirect also with where it leads."""
    passing = await ask(Http(path="/page.html"), at(nginx.plain))
    assert str(passing) == 'L7OK "HTTP/1.1 200 OK"'
    failing = await ask(Http(path="/status/503"), at(nginx.plain))
    assert str(failing) == 'L7STS answered "HTTP/1.1 503 Service Temporarily Unavailable"; expected status 200-299'
    redirect = await ask(Http(path="/relative", status="200"), at(nginx.plain))
    assert (
        str(redirect)
        == 'L7STS answered "HTTP/1.1 302 Moved Temporarily", Location "/page.html"; expected status 200'
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"expect": "all is well"}, PASS),
        ({"expect": "Grüße"}, PASS),
        ({"expect": "the end"}, PASS),
        ({"expect": "All is well"}, WRONG_ANSWER),
        ({"expect": "the end", "max_body": 1000}, WRONG_ANSWER),
        ({"expect_regex": r"(?i)ALL is \w+: gr..e"}, PASS),
        ({"expect_regex": r"(?s)^<html>.*the end\s*$"}, PASS),
        ({"expect_regex": r"all is (?!well)"}, WRONG_ANSWER),
        ({"expect": "all is well", "expect_regex": "the end"}, PASS),
        ({"expect": "the end", "expect_regex": "all is bad"}, WRONG_ANSWER),
        ({"expect_header": {"content-type": "^text/(html|plain)$", "Content-Length": "^1000"}}, PASS),
        ({"expect_header": {"Content-Type": "json"}}, WRONG_ANSWER),
        ({"expect_header": {"X-Health": ""}}, WRONG_ANSWER),
    ],
)
async def test_body_and_header_are_matched(
    nginx: Nginx, options: dict[str, Any], expected: tuple[Status, str]
) -> None:
    """Text, expression and header fields must all match, within the first `max_body` bytes, on a keep-alive server."""
    assert verdict(await ask(Http(path="/page.html", **options), at(nginx.plain))) == expected


async def test_evidence_of_a_wrong_answer(nginx: Nginx) -> None:
    """What was found instead is in the detail: the body's beginning, or the header field's value."""
    text = await ask(Http(path="/page.html", expect="sick", max_body=4), at(nginx.plain))
    assert text.detail == (
        'answered "HTTP/1.1 200 OK", "sick" is not in the first 4 bytes of the body, which begins with "<htm"'
    )
    header = await ask(Http(path="/echo?state=bad", expect_header={"X-Health": "=ok$"}), at(nginx.plain))
    assert header.detail == 'answered "HTTP/1.1 200 OK", X-Health is "state=bad"; expected a match of "=ok$"'
    missing = await ask(Http(path="/page.html", expect_header={"X-Health": "ok"}), at(nginx.plain))
    assert missing.detail == 'answered "HTTP/1.1 200 OK", X-Health is missing; expected a match of "ok"'
    empty = await ask(Http(path="/status/204", expect="x"), at(nginx.plain))
    assert empty.detail == 'answered "HTTP/1.1 204 No Content", "x" is not in the body, which is empty'


async def test_request_says_who_asks_what(nginx: Nginx) -> None:
    """Method, Host with the port, User-Agent and the user's header fields arrive."""
    asked = Http(path="/echo", headers={"X-Asked": "yes"}, expect=f"GET 127.0.0.1:{nginx.plain} healthd yes end")
    assert verdict(await ask(asked, at(nginx.plain))) == PASS
    options = Http(path="/echo", method="OPTIONS", expect="OPTIONS 127.0.0.1")
    assert verdict(await ask(options, at(nginx.plain))) == PASS
    renamed = Http(path="/echo", headers={"user-agent": "me"}, expect=f"{nginx.plain} me  end")
    assert verdict(await ask(renamed, at(nginx.plain))) == PASS


async def test_head_has_no_body(nginx: Nginx) -> None:
    """An answer to HEAD is whole without the body that its Content-Length speaks of."""
    head = Http(path="/page.html", method="HEAD", expect_header={"Content-Length": "^100"})
    assert verdict(await ask(head, at(nginx.plain))) == PASS


async def test_virtual_host(nginx: Nginx) -> None:
    """`host` chooses the virtual host of the real server that is asked."""
    assert verdict(await ask(Http(host="virtual.test", expect="virtual host"), at(nginx.plain))) == PASS
    assert verdict(await ask(Http(path="/page.html", expect="virtual host"), at(nginx.plain))) == WRONG_ANSWER


async def test_ipv6(nginx: Nginx) -> None:
    """An IPv6 address is asked as well, and stands in brackets in the Host field."""
    asked = Http(path="/echo", expect=f"GET [::1]:{nginx.plain} healthd")
    assert verdict(await ask(asked, at(nginx.plain, "::1"))) == PASS


@pytest.mark.parametrize(("password", "expected"), [("open sesame\n", PASS), ("wrong", WRONG_STATUS)])
async def test_basic_authentication(
    nginx: Nginx, tmp_path: Path, password: str, expected: tuple[Status, str]
) -> None:
    """The password is the file's one line; it is in no text about the checker and in no outcome."""
    file = tmp_path / "password"
    file.write_text(password)
    checker = Http(path="/private", user="alice", password_file=str(file))
    outcome = await ask(checker, at(nginx.plain))
    assert verdict(outcome) == expected
    secret = base64.b64encode(f"alice:{password.strip()}".encode()).decode()
    assert not any(text in f"{checker!r} {outcome!r}" for text in (password.strip(), secret))


async def test_a_changed_password_is_another_check(tmp_path: Path) -> None:
    """Two checkers made before and after the password file changed are not equal: a reload takes the new one."""
    file = tmp_path / "password"
    file.write_text("one")
    before, same = (Http(user="a", password_file=str(file)) for _ in range(2))
    file.write_text("two")
    assert before == same
    assert before != Http(user="a", password_file=str(file))


async def test_redirects_are_followed_when_asked(nginx: Nginx) -> None:
    """A redirect is followed on the same real server: relative, or to another host, which is then the Host field."""
    relative = await ask(Http(path="/relative", follow_redirects=1, expect="all is well"), at(nginx.plain))
    assert str(relative) == 'L7OK "HTTP/1.1 200 OK" after 1 redirects, last to /page.html'
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
    assert 'after 3 redirects, last to /loop, Location "/loop"' in outcome.detail


async def test_credentials_stay_with_their_host(tcp_server: TcpServer, tmp_path: Path) -> None:
    """A redirect to another host is asked without password and cookie; one on the same host keeps them."""
    file = tmp_path / "password"
    file.write_text("secret")
    server = Canned(
        b"HTTP/1.1 302 Found\r\nLocation: /here\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: //other.test/there\r\nContent-Length: 0\r\n\r\n",
        OK + b"Content-Length: 0\r\n\r\n",
    )
    host, port = await tcp_server(server)
    checker = Http(
        host="www.test", user="a", password_file=str(file), headers={"Cookie": "c=1", "X-A": "b"}, follow_redirects=5
    )
    assert verdict(await ask(checker, Target(address=host, port=port))) == PASS
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
        writer.write(OK + b"\r\n" if b"/next" in head else b"HTTP/1.1 302 Found\r\nLocation: next\r\n\r\n")

    host, port = await tcp_server(handler)
    checker = Http(method="POST", body="q=\u00fcber", headers={"Content-Type": "text/plain"}, follow_redirects=1)
    assert verdict(await ask(checker, Target(address=host, port=port))) == PASS
    assert received == [b"POST / HTTP/1.1q=\xc3\xbcber", b"GET /next HTTP/1.1"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nall i\r\n6;x=y\r\ns well\r\n0\r\nT: r\r\n\r\n", PASS),
        (OK + b"Content-Length: 11\r\n\r\nall is well", PASS),
        (b"HTTP/1.0 200\r\n\r\nit is said that all is well", PASS),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n" + OK + b"\r\nall is well", PASS),
        (OK + b"Content-Length: 4\r\n\r\nallright", WRONG_ANSWER),
        (OK + b"Content-Length: 2\r\n\r\nnoHTTP/1.1 200 OK\r\n\r\nall is well", WRONG_ANSWER),
    ],
)
async def test_framing(tcp_server: TcpServer, answer: bytes, expected: tuple[Status, str]) -> None:
    """Chunks, Content-Length and the end of the stream end a body; interim answers are passed over."""
    host, port = await tcp_server(Canned(answer))
    assert verdict(await ask(Http(expect="all is well"), Target(address=host, port=port))) == expected


@pytest.mark.parametrize("end", [b"Content-Length: 2\r\n\r\nno", b"Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"])
async def test_the_end_of_the_stream_is_not_waited_for(tcp_server: TcpServer, end: bytes) -> None:
    """A whole answer is judged at once, although the server keeps the connection open."""
    host, port = await tcp_server(Canned(OK + end, stay=True))
    outcome = await ask(Http(expect="yes"), Target(address=host, port=port))
    assert verdict(outcome) == WRONG_ANSWER
    assert 'begins with "no"' in outcome.detail


async def test_nothing_is_read_that_is_not_needed(tcp_server: TcpServer) -> None:
    """Without an expectation the head decides, and with one the body is read only until it is met."""
    host, port = await tcp_server(Canned(OK + b"Content-Length: 100\r\n\r\nall is well, and", stay=True))
    assert verdict(await ask(Http(), Target(address=host, port=port))) == PASS
    assert verdict(await ask(Http(expect="well"), Target(address=host, port=port))) == PASS


async def test_an_expectation_is_found_across_packets(tcp_server: TcpServer) -> None:
    """A text that arrives in two pieces is found, and ends the reading."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in (OK + b"\r\nall ", b"is w", b"el", b"l"):
            writer.write(piece)
            await asyncio.sleep(0.02)  # time for the checker to take the piece alone
        await reader.read()

    host, port = await tcp_server(handler)
    assert verdict(await ask(Http(expect="all is well"), Target(address=host, port=port))) == PASS


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"path": "index.html"}, "path", 'must start with "/"'),
        ({"path": "/a b"}, "path", "without blanks"),
        ({"path": "/a\r\nX: y"}, "path", "without blanks"),
        ({"host": "a/b"}, "host", "must be a name or an address"),
        ({"host": "www.exämple.com"}, "host", "must be a name or an address"),
        ({"headers": {"Host": "x"}}, "headers", "Host is set with the option host"),
        ({"headers": {"connection": "x"}}, "headers", "connection is not an option: every check closes"),
        ({"headers": {"Content-Length": "3"}}, "headers", "it follows from body"),
        ({"headers": {"X-A": "b\r\nX-C: d"}}, "headers", "the value of X-A may hold no line break"),
        ({"headers": {"X A": "b"}}, "headers", '"X A" is no name of a header field'),
        ({"body": "x"}, "body", 'needs method = "POST" or "PUT"'),
        ({"user": "a"}, "user", "needs password_file"),
        ({"password_file": "/x"}, "password_file", "needs user"),
        ({"user": "a:b", "password_file": "/x"}, "user", "no colon"),
        ({"user": "a", "password_file": "/no/such"}, "password_file", 'cannot read "/no/such": No such file or direct'),
        ({"status": "2xx"}, "status", '"2xx" is neither'),
        ({"status": "300-200"}, "status", '"300-200" is neither'),
        ({"status": ""}, "status", '"" is neither'),
        ({"expect": ""}, "expect", "must not be empty"),
        ({"expect": "a", "method": "HEAD"}, "expect", "has no body"),
        ({"expect_regex": "("}, "expect_regex", '"(" is not a regular expression: missing )'),
        ({"expect_header": {"A": "["}}, "expect_header", '"[" is not a regular expression'),
        ({"max_body": 0}, "max_body", "must be from 1 to 16777216 bytes, not 0"),
        ({"follow_redirects": -1}, "follow_redirects", "must be from 0 to 10, not -1"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], option: str, message: str) -> None:
    """The error names the option and what it should be."""
    with pytest.raises(OptionError) as caught:
        Http(**options)
    assert caught.value.option == option
    assert message in str(caught.value)


def test_password_file_holds_one_line(tmp_path: Path) -> None:
    """An empty file or a second line is refused, and the content is not in the message; nor is a second password."""
    file = tmp_path / "password"
    for content in ("", "\n", "one\ntwo\n"):
        file.write_text(content)
        with pytest.raises(OptionError, match="in one line, and nothing else") as caught:
            Http(user="a", password_file=str(file))
        assert "two" not in str(caught.value)
    file.write_text("one\n")
    with pytest.raises(OptionError, match="set already by user"):
        Http(user="a", password_file=str(file), headers={"authorization": "Bearer x"})


def test_https_is_http_with_tls() -> None:
    """`https` speaks TLS on port 443 and cannot be told otherwise."""
    assert (Http.default_port, Https.default_port, Https().tls) == (80, 443, True)
    with pytest.raises(OptionError, match="cannot be false"):
        Https(tls=False)
