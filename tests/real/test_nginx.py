"""HTTP of every version that Debian's nginx speaks."""

from typing import Any

import pytest

from checkers.base import Code, Status, Target
from checkers.http import Http, Https
from checkers.http2 import Http2
from checkers.http_capture import Capture
from checkers.http_session import HttpSession
from checkers.http_step import HttpStep
from checkers.json_condition import JsonCondition
from tests.checkers.asking import ask
from tests.checkers.certificates import Pki
from tests.real.nginx import Ports
from tests.real.programs import Program, through_faults

UP = JsonCondition(path="$.status", value="up")


def at(port: int) -> Target:
    return Target(address="127.0.0.1", port=port)


@pytest.mark.parametrize("tls", [True, False], ids=["ALPN", "prior knowledge"])
async def test_http2_through_faults(server: tuple[Program, Ports], pki: Pki, *, tls: bool) -> None:
    """A JSON condition holds and a weight is taken; who has stopped refuses, and who hangs is cut off."""
    program, ports = server
    options: dict[str, Any] = {"tls": True, "ca_file": pki.ca_file} if tls else {"tls": False}
    over = JsonCondition(path="$.over", value="HTTP/2.0")
    checker = Http2(host="localhost", path="/health", json=(UP, over), weight_header="x-weight", **options)
    target = at(ports.h2 if tls else ports.h2c)
    hung = Code.L6TOUT if tls else Code.L7TOUT
    healthy, *_ = await through_faults(checker, target, program, refused=Code.L4CON, hung=hung)
    assert (healthy.detail, healthy.factor) == ('"HTTP/2 200", X-Weight is "50%"'.replace("X-W", "x-w"), 0.5)


async def test_what_http2_finds_wrong(server: tuple[Program, Ports], pki: Pki) -> None:
    """Status, content, the protocol itself and an expired certificate are told apart."""
    _, ports = server
    tls: dict[str, Any] = {"host": "localhost", "ca_file": pki.ca_file}
    outcome = await ask(Http2(path="/status/503", **tls), at(ports.h2))
    assert str(outcome) == 'L7STS answered "HTTP/2 503"; expected status 200-299'
    outcome = await ask(Http2(path="/health", expect="down", **tls), at(ports.h2))
    assert outcome.code == Code.L7RSP
    outcome = await ask(Http2(**tls), at(ports.expired))
    assert str(outcome) == "L6RSP TLS handshake: certificate not accepted: certificate has expired"
    outcome = await ask(Http2(**tls), at(ports.tls))
    assert outcome.code == Code.L6RSP
    assert "the server knows none of the protocols of alpn" in outcome.detail
    outcome = await ask(Http2(tls=False), at(ports.plain))
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7RSP)
    assert outcome.detail.startswith("not HTTP/2: no SETTINGS come first; it begins with ")


async def test_what_http2_sends_and_reads(server: tuple[Program, Ports], pki: Pki) -> None:
    """Fields and a body longer than the first window, a redirect, and a long body up to its end."""
    _, ports = server
    tls: dict[str, Any] = {"host": "localhost", "ca_file": pki.ca_file}
    echo = Http2(path="/echo", headers={"X-Asked": "by-test"}, expect="GET localhost by-test", **tls)
    assert (await ask(echo, at(ports.h2))).code == Code.L7OK
    post = Http2(path="/echo", method="POST", body="x" * 200_000, expect="POST localhost", **tls)
    assert (await ask(post, at(ports.h2))).code == Code.L7OK
    redirect = Http2(path="/redirect", follow_redirects=1, json=(UP,), **tls)
    outcome = await ask(redirect, at(ports.h2))
    assert str(outcome) == 'L7OK "HTTP/2 200" after 1 redirect, last to "/health"'
    assert (await ask(Http2(path="/big", expect_regex="the end", max_body=600_000, **tls), at(ports.h2))).code == "L7OK"
    outcome = await ask(Http2(path="/big", expect="the end", **tls), at(ports.h2))
    assert '"the end" is not in the first 262144 bytes of the body' in outcome.detail


async def test_a_server_that_offers_both(server: tuple[Program, Ports], pki: Pki) -> None:
    """The same port still speaks HTTP/1.1 to who asks for that."""
    _, ports = server
    over = JsonCondition(path="$.over", value="HTTP/1.1")
    outcome = await ask(Https(host="localhost", path="/health", ca_file=pki.ca_file, json=(over,)), at(ports.h2))
    assert outcome.code == Code.L7OK
    outcome = await ask(Http(path="/health", json=(UP,), weight_header="X-Weight"), at(ports.plain))
    assert (outcome.code, outcome.factor) == (Code.L7OK, 0.5)


async def test_a_login_and_the_page_behind_it(server: tuple[Program, Ports]) -> None:
    """A cookie and a token go from one answer into the next request; without them the page is refused."""
    program, ports = server
    login = HttpStep(path="/login", capture={"token": Capture(json="$.token")})
    page = HttpStep(path="/page?token=${token:url}", expect="welcome")
    checker = HttpSession(steps=(login, page))
    await through_faults(checker, at(ports.plain), program, refused=Code.L4CON, hung=Code.L7TOUT)
    outcome = await ask(HttpSession(steps=(HttpStep(path="/page"),)), at(ports.plain))
    assert str(outcome) == 'L7STS step 1 of 1, answered "HTTP/1.1 403 Forbidden"; expected status 200-299'
    outcome = await ask(HttpSession(steps=(login, HttpStep(path="/page"))), at(ports.plain))
    assert str(outcome) == 'L7STS step 2 of 2, answered "HTTP/1.1 401 Unauthorized"; expected status 200-299'
