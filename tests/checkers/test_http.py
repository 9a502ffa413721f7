import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from checkers.base import Outcome, Status, Target
from checkers.http import Http
from tests.checkers.asking import ask
from tests.checkers.nginx import Nginx
from tests.checkers.servers import Canned, TcpServer

OK = b"HTTP/1.1 200 OK\r\n"
PASS = (Status.PASS, "L7OK")
WRONG_STATUS = (Status.FAIL, "L7STS")
WRONG_ANSWER = (Status.FAIL, "L7RSP")


def at(port: int, address: str = "127.0.0.1") -> Target:
    return Target(address=address, port=port)


def verdict(outcome: Outcome) -> tuple[Status, str]:
    return outcome.status, outcome.code


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
        str(redirect) == 'L7STS answered "HTTP/1.1 302 Moved Temporarily", Location "/page.html"; expected status 200'
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
        ({"expect_regex": r"all is [^w]"}, WRONG_ANSWER),
        ({"expect": "all is well", "expect_regex": "the end"}, PASS),
        ({"expect": "the end", "expect_regex": "all is bad"}, WRONG_ANSWER),
        ({"expect_header": {"content-type": "^text/(html|plain)$", "Content-Length": "^1000"}}, PASS),
        ({"expect_header": {"Content-Type": "json"}}, WRONG_ANSWER),
        ({"expect_header": {"X-Health": ""}}, WRONG_ANSWER),
    ],
)
async def test_body_and_header_are_matched(nginx: Nginx, options: dict[str, Any], expected: tuple[Status, str]) -> None:
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
async def test_basic_authentication(nginx: Nginx, tmp_path: Path, password: str, expected: tuple[Status, str]) -> None:
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


@pytest.mark.parametrize(
    "end", [b"Content-Length: 2\r\n\r\nno", b"Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"]
)
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


async def test_a_body_of_which_enough_was_read_is_judged(tcp_server: TcpServer) -> None:
    """When `max_body` bytes are there nothing more is waited for, though the server has more to say."""
    host, port = await tcp_server(Canned(OK + b"Content-Length: 100\r\n\r\nall is well, and", stay=True))
    outcome = await ask(Http(expect="sick", max_body=16), Target(address=host, port=port))
    assert verdict(outcome) == WRONG_ANSWER
    assert "first 16 bytes" in outcome.detail
