"""http3 against Debian's caddy, whose HTTP/3 is another library than this check's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checkers.base import Code, Status, Target
from checkers.http3 import Http3
from checkers.json_condition import JsonCondition
from tests.checkers.asking import ask
from tests.checkers.certificates import Pki
from tests.real.caddy import caddy
from tests.real.programs import Program, through_faults


@pytest.fixture(scope="module")
def server(folder: Path, pki: Pki) -> Iterator[Program]:
    with caddy(folder / "caddy", pki.issued("localhost")) as program:
        yield program


def at(program: Program) -> Target:
    return Target(address="127.0.0.1", port=program.port)


async def test_through_faults(server: Program, pki: Pki) -> None:
    """A JSON condition holds and a weight is taken; who has stopped refuses by ICMP, and who hangs is cut off."""
    up = JsonCondition(path="$.status", value="up")
    checker = Http3(host="localhost", path="/health", ca_file=pki.ca_file, json=(up,), weight_header="X-Weight")
    healthy, *_ = await through_faults(checker, at(server), server, refused=Code.L4CON, hung=Code.L6TOUT)
    assert (healthy.detail, healthy.factor) == ('"HTTP/3 200", X-Weight is "50%"', 0.5)


async def test_what_is_asked_and_read(server: Program, pki: Pki) -> None:
    """Fields and a body are sent, a redirect is followed, a long body is read as far as it is looked at."""
    options: dict[str, Any] = {"host": "localhost", "ca_file": pki.ca_file}
    asked: dict[str, Any] = {"method": "POST", "body": "x" * 50_000, "headers": {"X-Asked": "yes"}}
    outcome = await ask(Http3(path="/echo", expect="POST localhost yes", **asked, **options), at(server))
    assert outcome.code == Code.L7OK, outcome
    outcome = await ask(Http3(path="/redirect", follow_redirects=1, expect="up", **options), at(server))
    assert str(outcome) == 'L7OK "HTTP/3 200" after 1 redirect, last to "/health"'
    outcome = await ask(Http3(path="/big.txt", expect="the end", max_body=600_000, **options), at(server))
    assert outcome.code == Code.L7OK, outcome
    outcome = await ask(Http3(path="/big.txt", expect="the end", max_body=10_000, **options), at(server))
    assert '"the end" is not in the first 10000 bytes of the body' in outcome.detail


async def test_what_is_wrong_is_told_apart(server: Program, folder: Path, pki: Pki) -> None:
    """Status, content, the name in the certificate, its authority and its time."""
    options: dict[str, Any] = {"host": "localhost", "ca_file": pki.ca_file}
    outcome = await ask(Http3(path="/nothing", **options), at(server))
    assert str(outcome) == 'L7STS answered "HTTP/3 503"; expected status 200-299'
    outcome = await ask(Http3(path="/health", expect="down", **options), at(server))
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7RSP)
    outcome = await ask(Http3(path="/health", ca_file=pki.ca_file), at(server))
    assert outcome.code == Code.L6RSP
    assert "127.0.0.1" in outcome.detail
    assert "match" in outcome.detail
    outcome = await ask(Http3(path="/health", host="localhost"), at(server))
    assert outcome.code == Code.L6RSP
    assert outcome.detail.startswith('TLS handshake: certificate not accepted: "')
    assert outcome.detail.endswith("; ca_file names who is trusted")
    assert (await ask(Http3(path="/health", host="localhost", verify=False), at(server))).code == Code.L7OK
    with caddy(folder / "late", pki.issued("localhost", expired=True)) as late:
        outcome = await ask(Http3(path="/health", **options), at(late))
    assert str(outcome) == 'L6RSP TLS handshake: certificate not accepted: "Certificate is no longer valid"'


async def test_a_client_certificate(folder: Path, pki: Pki) -> None:
    """A server that wants one is content with that of the options, and with no other."""
    options: dict[str, Any] = {"host": "localhost", "ca_file": pki.ca_file, "path": "/health"}
    with caddy(folder / "strict", pki.issued("localhost"), pki.ca_file) as strict:
        mine = str(pki.issued("probe.test"))
        outcome = await ask(Http3(cert_file=mine, **options), at(strict))
        assert outcome.code == Code.L7OK, outcome
        others: list[dict[str, Any]] = [{}, {"cert_file": str(pki.unknown("probe.test"))}]
        for other in others:
            outcome = await ask(Http3(**options, **other), at(strict))
            assert (outcome.status, outcome.code) == (Status.FAIL, Code.L6RSP), outcome
