"""`events` and `history`, by the names that are given and by what is asked of the daemon."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.healthd.cli.processes import called
from tests.support import control_answers as made
from tests.support.control_stub import Stub

NAME = "10.0.0.1:80"


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[Stub]:
    """It knows the service `web` with two servers, as far as it is asked for them."""
    with Stub(tmp_path / "s") as running:
        running.answers["GET /api/v1/status"] = lambda handler: known(handler.path)
        running.answers["GET /api/v1/history"] = {"events": [], "next": None}
        yield running


def known(path: str) -> Any:
    is_web = "service=" not in path or "service=web" in path
    is_there = "server=" not in path or "server=10.0.0.1" in path
    return made.status(*([made.service(made.server(), made.server("10.0.0.2"))] if is_web and is_there else []))


def event(number: int, server: str, kind: str = "server_down") -> Any:
    return {"id": number, "at": made.AT, "kind": kind, "severity": "warning", "service": "web", "server": server} | {
        "text": f"web: server {server} is down"
    }


def asked(stub: Stub) -> dict[str, list[str]]:
    """What the history was asked for last."""
    return next(query for path, query, _ in reversed(stub.asked) if path.endswith("history"))


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("web", {"service": ["web"]}),
        ("web/10.0.0.1", {"service": ["web"], "server": ["10.0.0.1"]}),
        ("10.0.0.1", {"server": ["10.0.0.1"]}),
    ],
)
@pytest.mark.parametrize("command", ["history", "events"])
def test_what_a_name_means(stub: Stub, command: str, name: str, query: dict[str, list[str]]) -> None:
    """As for `status`: without a slash a service, or else a server in every service."""
    stub.answers["GET /api/v1/history"] = {"events": [event(1, NAME)], "next": None}
    done = called(command, name, "--socket", stub.path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "web: server 10.0.0.1:80 is down" in done.stdout
    assert {key: value for key, value in asked(stub).items() if key != "limit"} == query


@pytest.mark.parametrize("command", ["history", "events"])
def test_a_name_that_means_nothing(stub: Stub, command: str) -> None:
    """Is said, instead of an empty answer: status 66; but what is no longer configured has a past."""
    done = called(command, "wbe/10.0.0.1", "--socket", stub.path)
    assert (done.returncode, done.stdout) == (66, "")
    assert done.stderr == (
        'healthd: nothing is on record: there is no service and no server "wbe/10.0.0.1"; `healthd status` names them\n'
    )
    stub.answers["GET /api/v1/history"] = {"events": [event(1, NAME)], "next": None}
    assert called(command, "wbe/10.0.0.1", "--socket", stub.path).returncode == 0


def test_a_time_that_is_none(stub: Stub) -> None:
    """What ends before it begins is a mistake, with status 64."""
    done = called("history", "--since", "1h", "--until", "2h", "--socket", stub.path)
    assert done.returncode == 64
    assert "is after --until" in done.stderr


def test_following_leaves_no_gap(stub: Stub) -> None:
    """What happens after the past was asked for and before the stream begins is in the stream, of the same servers."""
    seen = []

    def stream(handler: Any) -> bytes:
        seen.append(handler.headers["Last-Event-ID"])
        line = json.dumps(event(7, NAME))
        stub.answers["GET /api/v1/events"] = None  # which ends the command
        return f"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\n{line}\n".encode()

    stub.answers["GET /api/v1/events"] = stream
    done = called("events", "web/10.0.0.1", "-f", "--socket", stub.path)
    assert done.stdout.count("is down") == 1
    assert seen == [str(int(made.AT * 1_000_000))]
    streams = [query for path, query, _ in stub.asked if path.endswith("events")]
    assert streams[0] == {"service": ["web"], "server": ["10.0.0.1"]}


def test_a_stream_that_breaks_off(stub: Stub) -> None:
    """Even the first, in the midst of an event: it is taken up again from the last whole one."""
    seen = []

    def stream(handler: Any) -> bytes:
        seen.append(handler.headers["Last-Event-ID"])
        if len(seen) == 2:
            stub.answers["GET /api/v1/events"] = None  # which ends the command
        line = json.dumps(event(len(seen), NAME)).encode() + b"\n"
        chunk = b"%x\r\n%s\r\n" % (len(line), line)
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk[:20]

    stub.answers["GET /api/v1/events"] = stream
    done = called("events", "-f", "--socket", stub.path)
    assert done.stdout.count("is down") == 2
    assert seen == [str(int(made.AT * 1_000_000)), "1"]
