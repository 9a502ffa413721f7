"""The manual for writing checkers: what it shows is run."""

import asyncio
import re
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from checkers.base import Checker, Code, OptionError, Outcome, Status, Target
from checkers.command import Command
from checkers.placeholders import NAMES
from checkers.registry import find
from tests.checkers.asking import ask
from tests.checkers.servers import ScriptedServers
from tests.support.ports import free_port

DOCS = Path(__file__).parents[2] / "docs"
MANUAL = (DOCS / "writing-a-checker.md").read_text()


def redis_ping(**options: Any) -> Checker:
    return find("redis_ping:RedisPing", DOCS / "examples")(**options)


def block(language: str, holding: str) -> str:
    """The manual's code block in `language` that holds this text."""
    (found,) = [text for text in re.findall(rf"```{language}\n(.*?)```", MANUAL, re.DOTALL) if holding in text]
    return str(found)


async def answered(*replies: bytes, **options: Any) -> tuple[Outcome, list[bytes]]:
    """The outcome against a server that gives one of `replies` to each command, and the lines it was sent.

    It is asked twice: in a task, and as the lean check that it says it is.
    """
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in replies:
            received.append(await reader.readline())
            following = int(received[-1][1:]) * 2 if received[-1].startswith(b"*") else 0
            received.extend([await reader.readline() for _ in range(following)])
            writer.write(reply)

    servers = ScriptedServers()
    address, port = await servers.start(serve)
    try:
        return await ask(redis_ping(**options), Target(address=address, port=port)), received
    finally:
        await servers.end()


@pytest.fixture
def password_file(tmp_path: Path) -> str:
    file = tmp_path / "password"
    file.write_text("open \r sesame\n")
    return str(file)


def test_the_manual_shows_the_example_as_it_is() -> None:
    """The listing in the manual is the file, word for word."""
    assert block("python", "class RedisPing") == (DOCS / "examples/redis_ping.py").read_text()


def test_the_manual_names_every_placeholder() -> None:
    """Its table has each placeholder with its variable, and no other."""
    rows = re.findall(r"^\| `\{(\w+)\}` \| `(\w+)` \|", MANUAL, re.MULTILINE)
    assert rows == [(name, f"HEALTHD_{name.upper()}") for name in NAMES]


def test_the_manuals_own_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test that it suggests passes."""
    monkeypatch.syspath_prepend(str(DOCS / "examples"))
    names: dict[str, Any] = {"__name__": "manual"}
    exec(block("python", "def test_"), names)
    names["test_a_loading_server_fails"]()


@pytest.mark.parametrize(("body", "status"), [("12", Status.PASS), ("100", Status.FAIL), ("busy", Status.FAIL)])
async def test_the_manuals_script(body: str, status: Status, tmp_path: Path) -> None:
    """The script passes below 100 waiting jobs, and fails at 100 or with nonsense."""
    if shutil.which("curl") is None:
        pytest.skip("the script needs curl")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.0 200 OK\r\n\r\n{body}".encode())

    script = tmp_path / "check-queue"
    script.write_text(block("sh", "#!/bin/sh"))
    script.chmod(0o755)
    servers = ScriptedServers()
    address, port = await servers.start(serve)
    outcome = await ask(Command(command=(str(script),)), Target(address=address, port=port), 60)
    await servers.end()
    assert outcome.status is status
    assert f"{body} jobs waiting" in outcome.detail


async def test_healthy() -> None:
    """PONG passes; without a password only PING is sent."""
    outcome, received = await answered(b"+PONG\r\n")
    assert (outcome.status, outcome.code, outcome.detail) == (Status.PASS, Code.L7OK, "answered PONG")
    assert received == [b"PING\r\n"] * 2


async def test_login(password_file: str) -> None:
    """The password goes to the server as it stands in the file, without the line's end."""
    outcome, received = await answered(b"+OK\r\n", b"+PONG\r\n", password_file=password_file)
    assert outcome.status is Status.PASS
    login = [b"*2\r\n", b"$4\r\n", b"AUTH\r\n", b"$13\r\n", b"open \r sesame\r\n"]
    assert received == [*login, b"PING\r\n"] * 2


@pytest.mark.parametrize(
    ("reply", "evidence"),
    [
        (b"-LOADING Redis is loading the dataset in memory\r\n", '"-LOADING Redis is loading the dataset in memory"'),
        (b"", '""'),
        (b"+PONG PONG\r\n", '"+PONG PONG"'),
        (b"\xff\x00" * 1000, '"' + r"\xff\x00" * 12 + '"...'),
    ],
)
async def test_wrong_answer(reply: bytes, evidence: str) -> None:
    """Any other answer fails and is shown; one without an end is cut."""
    outcome, _ = await answered(reply)
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7RSP)
    assert outcome.detail.startswith(f"answered PING with {evidence}")
    assert len(outcome.detail) < 300


async def test_refused() -> None:
    """No server: the connection is refused, and that is the server's fault."""
    outcome = await ask(redis_ping(), Target(address="127.0.0.1", port=free_port()))
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L4CON)


async def test_silent() -> None:
    """A server that accepts and says nothing fails at the deadline."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = Target(address="127.0.0.1", port=silent.getsockname()[1])
        outcome = await ask(redis_ping(), target, 0.3)
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7TOUT)


async def test_no_password_file(tmp_path: Path) -> None:
    """A file that this machine lacks takes no server out; a relative path is refused from the start."""
    outcome, _ = await answered(password_file=f"{tmp_path}/missing")
    assert (outcome.status, outcome.code) == (Status.UNKNOWN, "NOFILE")
    assert outcome.detail == f"cannot read {tmp_path}/missing: No such file or directory"
    with pytest.raises(OptionError, match="must be an absolute path"):
        redis_ping(password_file="password")


@asynccontextmanager
async def real_redis(folder: Path, *arguments: str) -> AsyncIterator[Target]:
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = await asyncio.create_subprocess_exec(*command, *arguments, stdout=asyncio.subprocess.PIPE)
    assert server.stdout is not None
    try:
        async with asyncio.timeout(60):
            while b"Ready to accept connections" not in (line := await server.stdout.readline()):
                assert line, "redis-server ended"
        yield Target(address="127.0.0.1", port=port)
    finally:
        server.terminate()
        await server.communicate()


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="Debian's redis-server is not installed")
async def test_a_real_redis(tmp_path: Path, password_file: str) -> None:
    """Against Redis itself: well, locked without the password, opened with it, shut to a wrong one."""
    async with real_redis(tmp_path) as target:
        assert (await ask(redis_ping(), target)).detail == "answered PONG"
    (tmp_path / "wrong").write_text("wrong")
    (tmp_path / "right").write_text("sesame\n")
    async with real_redis(tmp_path, "--requirepass", "sesame") as target:
        locked = await ask(redis_ping(), target)
        opened = await ask(redis_ping(password_file=f"{tmp_path}/right"), target)
        wrong = await ask(redis_ping(password_file=f"{tmp_path}/wrong"), target)
    assert (locked.status, locked.detail) == (Status.FAIL, 'answered PING with "-NOAUTH Authentication required."')
    assert (opened.status, opened.detail) == (Status.PASS, "answered PONG")
    assert wrong.status is Status.FAIL
    assert wrong.detail.startswith('answered AUTH with "-WRONGPASS')
