"""http3 against a server on the library aioquic: Debian's nginx 1.22 does not speak it."""

import contextlib
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checkers.base import Code, Status, Target
from checkers.http3 import Http3
from checkers.json_condition import JsonCondition
from tests.checkers.asking import ask
from tests.checkers.certificates import Pki
from tests.real import http3_server
from tests.real.programs import Program, free_port, through_faults


@contextlib.contextmanager
def running(folder: Path, certificate: Path) -> Iterator[Program]:
    port, ready = free_port(socket.SOCK_DGRAM), folder / "ready"
    command: list[str | Path] = [sys.executable, http3_server.__file__, str(port), *_split(certificate), ready]
    with Program(command, folder, port=port, ready=ready) as program:
        yield program


def _split(certificate: Path) -> list[Path]:
    """aioquic wants the key in a file of its own."""
    pem = certificate.read_text()
    begin, end = pem.index("-----BEGIN", 0), pem.index("-----BEGIN CERTIFICATE")
    chain, key = certificate.with_suffix(".crt"), certificate.with_suffix(".key")
    key.write_text(pem[begin:end])
    chain.write_text(pem[end:])
    return [chain, key]


@pytest.fixture(scope="module")
def server(folder: Path, pki: Pki) -> Iterator[Program]:
    with running(folder, pki.issued("localhost")) as program:
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
    assert outcome.code == Code.L7OK
    outcome = await ask(Http3(path="/redirect", follow_redirects=1, expect="up", **options), at(server))
    assert str(outcome) == 'L7OK "HTTP/3 200" after 1 redirect, last to "/health"'
    assert (await ask(Http3(path="/big", expect="the end", max_body=600_000, **options), at(server))).code == Code.L7OK
    outcome = await ask(Http3(path="/big", expect="the end", max_body=10_000, **options), at(server))
    assert '"the end" is not in the first 10000 bytes of the body' in outcome.detail


async def test_what_is_wrong_is_told_apart(server: Program, folder: Path, pki: Pki) -> None:
    """Status, content, the name in the certificate, its authority and its time."""
    options: dict[str, Any] = {"host": "localhost", "ca_file": pki.ca_file}
    outcome = await ask(Http3(path="/nothing", **options), at(server))
    assert str(outcome) == 'L7STS answered "HTTP/3 503", Location "/health"; expected status 200-299'
    outcome = await ask(Http3(path="/health", expect="down", **options), at(server))
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7RSP)
    outcome = await ask(Http3(path="/health", host="other.test", ca_file=pki.ca_file), at(server))
    assert outcome.code == Code.L6RSP
    assert "hostname 'other.test' doesn't match" in outcome.detail
    outcome = await ask(Http3(path="/health", host="localhost"), at(server))
    assert outcome.code == Code.L6RSP
    assert "bad certificate" in outcome.detail
    assert (await ask(Http3(path="/health", verify=False), at(server))).code == Code.L7OK
    (folder / "late").mkdir()
    with running(folder / "late", pki.issued("localhost", expired=True)) as late:
        outcome = await ask(Http3(path="/health", **options), at(late))
    assert str(outcome) == 'L6RSP TLS handshake: certificate expired "Certificate is no longer valid"'
