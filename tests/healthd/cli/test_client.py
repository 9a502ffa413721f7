import grp
import http.client
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from healthd.cli import client as clients
from healthd.cli.client import Answered, Client, Unreachable, path_of
from healthd.cli.complaints import unreachable
from healthd.cli.exits import Exit
from healthd.cli.locate import Place, by_url, group_and_mode
from tests.support.control_stub import Stub

STATUS = "GET /api/v1/status"


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[Stub]:
    with Stub(tmp_path / "s") as made:
        yield made


def client(path: Path, patience: float = 60.0) -> Client:
    return Client(Place("as the test says", path=path), patience)


def asked(stub: Stub, patience: float = 60.0) -> Any:
    return client(stub.path, patience).get(path_of("status"))


def test_a_question(stub: Stub) -> None:
    """What is not given is not asked for, and names are quoted."""
    stub.answers[STATUS] = {"at": 1}
    stub.answers["GET /api/v1/services/a%2Fb/servers/%5B%3A%3A1%5D%3A80"] = ["x"]
    assert client(stub.path).get(path_of("status"), {"service": "w*", "at": None, "kind": ""}) == {"at": 1}
    assert client(stub.path).get(path_of("services", "a/b", "servers", "[::1]:80")) == ["x"]
    assert stub.asked[0] == (STATUS, {"service": ["w*"]}, None)


def test_an_act(stub: Stub) -> None:
    """JSON goes out without what is not given, and JSON comes back."""
    stub.answers["POST /api/v1/drain"] = {"done": []}
    assert client(stub.path).post("/api/v1/drain", {"servers": ["web/*"], "limit": None, "force": False}) == {
        "done": []
    }
    assert stub.asked[0][2] == {"servers": ["web/*"], "force": False}


@pytest.mark.parametrize(
    ("status", "exit_status"),
    [(400, 64), (401, 77), (403, 77), (404, 66), (409, 75), (413, 70), (500, 70), (503, 70)],
)
def test_refusals(stub: Stub, status: int, exit_status: int) -> None:
    """The daemon's own words, and an exit status for each kind."""
    stub.answers[STATUS] = {"error": {"status": "x", "messages": ["no, because\x1b", "and so"]}}
    stub.status = status
    with pytest.raises(Answered) as caught:
        asked(stub)
    assert caught.value.status == exit_status
    assert caught.value.messages == ("healthd: no, because\\x1b", "healthd: and so")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\n\r\n<html>",
        b"HTTP/1.1 200 OK\r\n\r\n\xff",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000,
        b"HTTP/1.1 418 Teapot\r\n\r\n",
        b"HTTP/1.1 500 Oops\r\n\r\n{}",
        b"HTTP/1.1 404 Not Found\r\n\r\n",
    ],
)
def test_answers_that_are_none(stub: Stub, answer: bytes) -> None:
    """Somebody else listens there, or another version: one sentence, never a traceback."""
    stub.answers[STATUS] = answer
    with pytest.raises(Answered) as caught:
        asked(stub)
    assert caught.value.status == Exit.DAEMON_FAILED


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_not_http(stub: Stub, answer: bytes) -> None:
    """As good as nobody."""
    stub.answers[STATUS] = answer
    with pytest.raises(Unreachable) as caught:
        asked(stub)
    assert caught.value.status == Exit.UNAVAILABLE


def test_an_answer_without_an_end(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is bounded in size."""
    monkeypatch.setattr(clients, "MOST", 100_000)
    stub.answers[STATUS] = b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 200_000
    with pytest.raises(Answered, match="more than 100000 bytes"):
        asked(stub)


def silence(handler: Any) -> bytes:
    handler.server.done.wait(60)
    return b""


def drip(handler: Any) -> bytes:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n[")
    while not handler.server.done.wait(0.02):
        handler.wfile.write(b" ")
    return b""


@pytest.mark.parametrize("answer", [silence, drip])
def test_a_daemon_that_hangs(stub: Stub, answer: Any) -> None:
    """One deadline for the whole answer, however it is dripped."""
    stub.answers[STATUS] = answer
    with pytest.raises(Unreachable, match=r"did not answer within 0\.3 s"):
        asked(stub, patience=0.3)


def test_no_daemon(tmp_path: Path) -> None:
    """Where was looked, why there, how to start it, and how to name another."""
    with pytest.raises(Unreachable) as caught:
        client(tmp_path / "none.sock").get("/")
    text = "\n".join(caught.value.messages)
    for part in (f"{tmp_path}/none.sock", "as the test says", "healthd run", "--socket", "HEALTHD_SOCKET"):
        assert part in text
    assert caught.value.status == Exit.UNAVAILABLE


def test_a_socket_left_behind(tmp_path: Path) -> None:
    """Somebody was there once."""
    with socket.socket(socket.AF_UNIX) as once:
        once.bind(str(tmp_path / "s"))
    with pytest.raises(Unreachable, match="nobody listens"):
        client(tmp_path / "s").get("/")


def test_a_path_that_is_too_long(tmp_path: Path) -> None:
    """The kernel takes 107 bytes."""
    with pytest.raises(Unreachable, match="too long"):
        client(tmp_path / ("x" * 200)).get("/")


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can become somebody else")
def test_a_socket_of_others() -> None:
    """Status 77, and which group it takes."""
    with tempfile.TemporaryDirectory(prefix="healthd-test-") as folder, Stub(Path(folder) / "s") as stub:
        Path(folder).chmod(0o700)  # like state_dir, which is nobody's business
        os.seteuid(65534)
        try:
            with pytest.raises(Unreachable, match="may not open the socket") as caught:
                asked(stub)
        finally:
            os.seteuid(0)
    assert caught.value.status == Exit.NOT_PERMITTED
    assert "[control] group" in "\n".join(caught.value.messages)


def test_who_may_open_a_socket(tmp_path: Path) -> None:
    """Said in the message where it can be seen."""
    path = tmp_path / "s"
    path.touch()
    path.chmod(0o660)
    group = grp.getgrgid(path.stat().st_gid).gr_name
    assert group_and_mode(path) == f"mode 660, owner {path.owner()}, group {group}"
    assert group_and_mode(tmp_path / "none") == ""


def test_tcp(unused_port: int) -> None:
    """Refused like any connection, with the URL in question."""
    with pytest.raises(Unreachable, match=f"http://127.0.0.1:{unused_port} .*refused"):
        Client(by_url(f"http://127.0.0.1:{unused_port}", None)).get("/")


@pytest.fixture
def unused_port() -> Iterator[int]:
    """It is bound, so that nobody else takes it, and nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield int(bound.getsockname()[1])


def test_a_stream(stub: Stub) -> None:
    """A beginning, objects, signs of life; what is no object is passed over."""
    stub.answers["GET /api/v1/events"] = b'HTTP/1.1 200 OK\r\n\r\n\n{"id": 1}\n\nnonsense\n[1]\n{"id": 2}\n'
    found = list(client(stub.path).follow(path_of("events"), {"kind": "x"}, {"Last-Event-ID": "7"}))
    assert found == [None, None, {"id": 1}, None, None, None, {"id": 2}]


def test_a_line_without_an_end(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is bounded too."""
    monkeypatch.setattr(clients, "LONGEST_LINE", 1000)
    stub.answers["GET /api/v1/events"] = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5000
    with pytest.raises(Answered, match="without an end"):
        list(client(stub.path).follow(path_of("events"), {}, {}))


def test_a_stream_that_is_refused(stub: Stub) -> None:
    """As any other question."""
    stub.status = 403
    stub.answers["GET /api/v1/events"] = {"error": {"messages": ["a token is needed"]}}
    with pytest.raises(Answered, match="a token is needed"):
        list(client(stub.path).follow(path_of("events"), {}, {}))


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "is this address in its `[control] listen`?"),
        (http.client.RemoteDisconnected("Remote end closed connection without response"), "say https://"),
    ],
)
def test_nobody_at_a_url(error: OSError, advice: str) -> None:
    """What is said is about TCP, and not about sockets that nobody asked for."""
    said = unreachable(by_url("http://127.0.0.1:1", None), error, 5.0)
    assert said.status == Exit.UNAVAILABLE
    assert advice in said.messages[1]
    assert "--socket" not in str(said)
