"""Several requests in a row, to servers that a test plays; a real one is in tests/real."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkers.base import OptionError, Status, Target
from checkers.http_capture import COOKIES_AT_MOST, Capture, Cookies
from checkers.http_session import HttpSession
from checkers.http_step import HttpStep
from checkers.json_condition import JsonCondition
from tests.checkers.asking import ask, ask_once
from tests.checkers.servers import Canned, TcpServer

BODY = b'{"token": "t 1", "n": 5, "f": "csrf=k9&amp;"}'
LOGIN = (
    b"HTTP/1.1 200 OK\r\nSet-Cookie: id=s3; Path=/; HttpOnly\r\nSet-Cookie: old=1; Max-Age=0\r\n"
    b"X-Next: /p/7\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nwelcome"


async def at(tcp_server: TcpServer, *answers: bytes) -> tuple[Canned, Target]:
    server = Canned(*answers)
    host, port = await tcp_server(server)
    return server, Target(address=host, port=port)


async def test_a_login_and_the_page_behind_it(tcp_server: TcpServer, tmp_path: Path) -> None:
    """Cookies, values from JSON, header and text, and a secret are put into what is asked next."""
    file = tmp_path / "password"
    file.write_text('op"en\n')
    server, target = await at(tcp_server, LOGIN, OK)
    login = HttpStep(
        path="/login",
        method="POST",
        headers={"Content-Type": "application/json"},
        body='{"user": "alice", "password": "${password:json}"}',
        capture={
            "token": Capture(json="$.token"),
            "next": Capture(header="x-next"),
            "n": Capture(json="$.n"),
            "csrf": Capture(regex="csrf=([a-z0-9]+)"),
        },
    )
    page = HttpStep(path="${next}?t=${token:url}&n=${n}", headers={"X-Csrf": "${csrf}"}, expect="welcome")
    checker = HttpSession(steps=(login, page), host="www.example.com", secrets={"password": str(file)})
    outcome = await ask_once(checker, target)
    assert str(outcome) == 'L7OK 2 steps, the last answered "HTTP/1.1 200 OK"'
    assert server.requests[0].startswith("POST /login HTTP/1.1\r\nHost: www.example.com\r\n")
    assert "Cookie" not in server.requests[0]
    assert server.requests[1].startswith("GET /p/7?t=t%201&n=5 HTTP/1.1\r\n")
    assert "X-Csrf: k9\r\n" in server.requests[1]
    assert "Cookie: id=s3\r\n" in server.requests[1]
    assert "op" not in repr(checker)


async def test_cookies_follow_redirects_of_the_host_alone(tcp_server: TcpServer) -> None:
    """A login that answers with a redirect; to another host nothing goes that is not its own."""
    away = b"HTTP/1.1 302 F\r\nLocation: http://other.test/\r\nSet-Cookie: id=s3\r\n\r\n"
    server, target = await at(tcp_server, away, b"HTTP/1.1 200 OK\r\nSet-Cookie: evil=1\r\n\r\n", OK)
    steps = (HttpStep(path="/login", method="POST", body="x"), HttpStep(path="/page"))
    outcome = await ask_once(HttpSession(steps=steps, host="www.example.com", follow_redirects=1), target)
    assert outcome.code == "L7OK"
    assert server.requests[1].startswith("GET / HTTP/1.1\r\nHost: other.test\r\n")
    assert "Cookie" not in server.requests[1]
    assert "Cookie: id=s3\r\n" in server.requests[2]
    assert "evil" not in server.requests[2]


@pytest.mark.parametrize(
    ("first", "second", "code", "detail"),
    [
        (b"HTTP/1.1 403 No\r\n\r\n", OK, "L7STS", 'step 1 of 2, answered "HTTP/1.1 403 No"; expected status 200-299'),
        (
            LOGIN,
            b"HTTP/1.1 401 No\r\n\r\n",
            "L7STS",
            'step 2 of 2, answered "HTTP/1.1 401 No"; expected status 200-299',
        ),
        (LOGIN, b"", "L7RSP", "step 2 of 2, connection closed without an answer"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            OK,
            "L7RSP",
            'step 1 of 2, answered "HTTP/1.1 200 OK", the value t is not there: JSON $.token: $ has no member "token"',
        ),
        (
            b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"token": [1]}',
            OK,
            "L7RSP",
            'step 1 of 2, answered "HTTP/1.1 200 OK", the value t is no text: JSON $.token is an array of 1',
        ),
        (
            b'HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n{"token": "a\\r\\nb"}',
            OK,
            "L7RSP",
            "step 2 of 2, what was captured for X-Token holds a line break or other control character",
        ),
    ],
)
async def test_the_step_that_fails_is_named(
    tcp_server: TcpServer, first: bytes, second: bytes, code: str, detail: str
) -> None:
    """With what was wrong in it; a value that was captured cannot write into a request."""
    steps = (
        HttpStep(path="/login", capture={"t": Capture(json="$.token")}),
        HttpStep(path="/page", headers={"X-Token": "${t}"}),
    )
    _, target = await at(tcp_server, first, second)
    outcome = await ask_once(HttpSession(steps=steps), target)
    assert (outcome.status, outcome.code) == (Status.FAIL, code)
    assert detail in outcome.detail


async def test_what_cannot_stand_in_a_path(tcp_server: TcpServer) -> None:
    """It is not sent; the text says how it would be encoded, and does not show it."""
    _, target = await at(tcp_server, LOGIN, OK)
    steps = (HttpStep(path="/login", capture={"t": Capture(json="$.token")}), HttpStep(path="/${t}"))
    outcome = await ask_once(HttpSession(steps=steps), target)
    assert str(outcome) == "L7RSP step 2 of 2, what was captured as t cannot stand in a path: ${t:url} would encode it"


async def test_one_deadline_holds_for_all(tcp_server: TcpServer) -> None:
    """And the text says in which step it struck."""
    _, target = await at(tcp_server, OK)
    quick = HttpStep(path="/")
    hung = Canned(b"HTTP/1.1 200", stay=True)
    outcome = await ask(HttpSession(steps=(quick,) * 3), target)
    assert outcome.code == "L7OK"
    host, port = await tcp_server(hung)
    outcome = await ask(HttpSession(steps=(quick, quick)), Target(address=host, port=port), 0.3)
    assert str(outcome) == "L7TOUT no result within 0.3 s while in step 1 of 2, reading the header of the answer"


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"steps": ()}, "steps", "must be from 1 to 20, not 0"),
        ({"steps": (HttpStep(path="/"),) * 21}, "steps", "must be from 1 to 20, not 21"),
        (
            {"steps": (HttpStep(path="/${t}"),)},
            "steps",
            "step 1: ${t} is neither a secret nor captured before; known: ",
        ),
        ({"steps": (HttpStep(path="/"),), "host": "a/b"}, "host", "must be a name or an address"),
        ({"steps": (HttpStep(path="/"),), "follow_redirects": 11}, "follow_redirects", "must be from 0 to 10, not 11"),
        ({"steps": (HttpStep(path="/"),), "secrets": {"a b": "/x"}}, "secrets", '"a b" is no name'),
        ({"steps": (HttpStep(path="/"),), "secrets": {"a": "/no/such"}}, "secrets", 'cannot read "/no/such"'),
        ({"steps": (HttpStep(path="/"),), "headers": {"Host": "x"}}, "headers", "Host is set with the option host"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], option: str, message: str) -> None:
    """The error names the option and what it should be."""
    with pytest.raises(OptionError) as caught:
        HttpSession(**options)
    assert caught.value.option == option
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"path": "x"}, "path", 'must start with "/"'),
        ({"path": "/${a b}"}, "path", "${a b} is no place for a value"),
        ({"path": "/", "body": "x"}, "body", 'needs method = "POST" or "PUT"'),
        ({"path": "/", "headers": {"Content-Length": "1"}}, "headers", "it follows from body"),
        ({"path": "/", "capture": {"a-b": Capture(json="$")}}, "capture", '"a-b" is no name'),
        ({"path": "/", "method": "HEAD", "expect": "x"}, "method", "HEAD has an answer without a body"),
        ({"path": "/", "method": "HEAD", "capture": {"a": Capture(json="$")}}, "method", "without a body"),
        ({"path": "/", "status": "x"}, "status", '"x" is neither'),
        ({"path": "/", "max_body": 0}, "max_body", "must be from 1 to 16777216 bytes, not 0"),
        ({"path": "/", "json": (JsonCondition(path="$", value=1),), "method": "HEAD"}, "method", "without a body"),
    ],
)
def test_steps_that_cannot_work_are_refused(options: dict[str, Any], option: str, message: str) -> None:
    """The error names the option and what it should be."""
    with pytest.raises(OptionError) as caught:
        HttpStep(**options)
    assert caught.value.option == option
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({}, "regex", "missing: give regex, json or header, to say where the value is"),
        ({"json": "$", "header": "X"}, "json", "cannot stand beside regex or header"),
        ({"json": "x"}, "json", '"x" is no path'),
        ({"regex": "("}, "regex", '"(" is not a regular expression'),
    ],
)
def test_captures_that_cannot_work_are_refused(options: dict[str, Any], option: str, message: str) -> None:
    """The error names the option and what it should be."""
    with pytest.raises(OptionError) as caught:
        Capture(**options)
    assert caught.value.option == option
    assert message in str(caught.value)


def test_cookies_are_bounded() -> None:
    """In number and in length; what is no cookie is passed over."""
    cookies = Cookies()
    cookies.take(f"c{number}=1" for number in range(1000))
    assert cookies.field().count("=") == COOKIES_AT_MOST
    cookies.take(["c0=", "c1=2; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "c2=x; Expires=Wed, 01 Jan 2090 00:00:00 GMT"])
    assert cookies.field().startswith("c0=; c2=x; ")
    few = Cookies()
    few.take(["a" * 5000 + "=1", "no cookie", "b=\x00", "=c"])
    assert few.field() in {"", "b="}


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(max_size=60) | st.text(alphabet="a=; Max-Age0Expires1970,", max_size=60), max_size=5))
def test_any_text_is_a_cookie_or_none(fields: list[str]) -> None:
    """What is kept can stand in a header field."""
    cookies = Cookies()
    cookies.take(fields)
    assert cookies.field().isascii()
    assert cookies.field().isprintable()
