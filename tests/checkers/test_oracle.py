"""Oracle: there is no server to test against, so here are those that only pretend, and those that are hostile."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from checkers import oracle
from checkers.base import Code, Outcome, Status, Target
from checkers.oracle import Oracle
from tests.checkers.asking import ENOUGH, ask
from tests.checkers.databases import closing, until_left
from tests.checkers.leaks import nothing_left
from tests.checkers.servers import Handler, TcpServer
from tests.checkers.speaking import at
from tests.support.processes import children, until

REFUSE = b"(DESCRIPTION=(ERR=12514)(VSNNUM=0)(ERROR_STACK=(ERROR=(CODE=12514)(EMFI=4))))"


def packet(kind: int, body: bytes) -> bytes:
    """Of TNS."""
    return (8 + len(body)).to_bytes(2, "big") + bytes([0, 0, kind, 0, 0, 0]) + body


@pytest.fixture
def checker(tmp_path: Path) -> Oracle:
    (tmp_path / "password").write_text("open sesame\n")
    login: dict[str, Any] = {"user": "probe", "password_file": str(tmp_path / "password")}
    return Oracle(service="shop", query="SELECT 1 FROM dual", expect="1", **login)


async def asked(tcp_server: TcpServer, checker: Oracle, handler: Handler, seconds: float = ENOUGH) -> Outcome:
    target = await at(tcp_server, handler)
    async with nothing_left():
        outcome = await ask(checker, target, seconds)
    await until(lambda: children() == [])  # one that is killed may take its time to die
    return outcome


async def test_nobody_is_there(checker: Oracle) -> None:
    """As for every other kind."""
    outcome = await ask(checker, Target(address="127.0.0.1", port=1))
    assert str(outcome) == "L4CON connecting to 127.0.0.1:1: Connection refused (ECONNREFUSED)"


@pytest.mark.parametrize(
    ("data", "seconds"),
    [(b"", 0.5), (packet(2, b"\x01\x3d"), 1.5), (bytes(64), 3)],
    ids=["silent", "half-way", "a length of 0, which the library reads for ever"],
)
async def test_a_server_that_stops(tcp_server: TcpServer, checker: Oracle, data: bytes, seconds: float) -> None:
    """The process is ended at the deadline, be it in the midst of a computation."""
    outcome = await asked(tcp_server, checker, until_left(data), seconds)
    if outcome.code != Code.L7RSP:  # the library may have understood that it does not understand
        assert str(outcome) == f'L7TOUT no result within {seconds:g} s while logging in to service "shop"'
    assert outcome.status is Status.FAIL


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request\r\n\r\n" * 1000, packet(2, b""), packet(99, b"x"), b"\0"])
async def test_garbage(tcp_server: TcpServer, checker: Oracle, data: bytes) -> None:
    """It is the server's fault whatever the library makes of it."""
    outcome = await asked(tcp_server, checker, closing(data))
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7RSP), outcome


async def test_a_listener_that_refuses(tcp_server: TcpServer, checker: Oracle) -> None:
    """Its error is shown."""
    outcome = await asked(
        tcp_server, checker, closing(packet(4, bytes([34, 0]) + len(REFUSE).to_bytes(2, "big") + REFUSE))
    )
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7STS)
    assert 'Service "shop" is not registered with the listener' in outcome.detail


def pretending(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    """The program that asks is another one."""
    program = tmp_path / "program.py"
    program.write_text(text)
    monkeypatch.setattr(oracle, "_PROGRAM", program)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"rows": 1, "value": "1"}, 'L7OK logged in as "probe", the query returned 1 row, the first value is "1"'),
        ({"rows": 2, "value": "2"}, 'L7RSP the first value is "2"; expected "1"'),
        ({"rows": 0, "value": None}, "L7RSP the query returned 0 rows; expected at least 1"),
        (
            {"error": "ORA-01017: invalid username/password; logon denied\nHelp: https://...", "errno": None},
            'L7STS logging in or asking: "ORA-01017: invalid username/password; logon denied"',
        ),
    ],
)
async def test_answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, checker: Oracle, answer: dict[str, Any], said: str
) -> None:
    """What the program that asks has said is judged as for the other databases."""
    pretending(monkeypatch, tmp_path, f"print('ready')\nprint({json.dumps(answer)!r})")
    assert str(await ask(checker, Target(address="127.0.0.1", port=1521))) == said


async def test_what_the_program_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, checker: Oracle) -> None:
    """The password is in its input, and neither in its arguments nor in its environment."""
    text = "import os, sys\nprint('ready')\nprint(sys.argv[1:], dict(os.environ), sys.stdin.read())"
    pretending(monkeypatch, tmp_path, text)
    outcome = await ask(checker, Target(address="127.0.0.1", port=1521))
    assert outcome.code == Code.L7RSP
    question = json.loads(checker._question(Target(address="127.0.0.1", port=1521)))
    assert question["password"] == "open sesame"
    assert "sesame" not in repr(checker)


async def test_a_library_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, checker: Oracle) -> None:
    """That is this machine's fault."""
    pretending(monkeypatch, tmp_path, "import nothing_of_this_name")
    outcome = await ask(checker, Target(address="127.0.0.1", port=1521))
    assert (outcome.status, outcome.code) == (Status.UNKNOWN, Code.RUNERR)
    assert "No module named 'nothing_of_this_name'" in outcome.detail
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    outcome = await ask(checker, Target(address="127.0.0.1", port=1521))
    assert str(outcome) == "RUNERR cannot start /nonexistent: No such file or directory (ENOENT)"


async def test_one_that_ends_without_an_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, checker: Oracle
) -> None:
    """Such as one that a server has made use up its memory."""
    pretending(monkeypatch, tmp_path, "print('ready', flush=True)\nraise MemoryError")
    outcome = await ask(checker, Target(address="127.0.0.1", port=1521))
    assert str(outcome) == 'L7RSP the answer is not understood: "MemoryError", exit status 1'


async def test_several_at_once(tcp_server: TcpServer, checker: Oracle) -> None:
    """Those that are cut off leave nothing, however many there are."""
    target = await at(tcp_server, until_left())
    async with nothing_left():
        outcomes = await asyncio.gather(*(ask(checker, target, 0.5) for _ in range(3)))
    assert {outcome.code for outcome in outcomes} <= {Code.L7TOUT}


def test_a_failure_is_told_alike_each_time() -> None:
    """The library's number of the connection, and its hint of a page, are left out."""
    text = "DPY-6005: cannot connect to database (CONNECTION_ID=kOYv94gO==).\nHelp: https://x\nDPY-4011: closed"
    failed = oracle._failed(text, None, Target(address="127.0.0.1", port=1521))
    assert str(failed.outcome) == 'L7RSP logging in or asking: "DPY-6005: cannot connect to database. DPY-4011: closed"'
