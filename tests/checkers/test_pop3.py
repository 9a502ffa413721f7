from __future__ import annotations

from typing import Any

import pytest

from checkers.base import Status
from checkers.pop3 import Pop3
from tests.checkers.asking import ask_once
from tests.checkers.scripted import Script
from tests.checkers.servers import TcpServer
from tests.checkers.speaking import at

ANSWERS = {b"USER": b"+OK\r\n", b"PASS": b"+OK logged in\r\n", b"STAT": b"+OK 2 320\r\n"}


async def test_what_is_said(tcp_server: TcpServer, login: dict[str, Any]) -> None:
    """A login, a look at the mailbox, and QUIT, without which it might stay locked."""
    script = Script(b"+OK ready\r\n", ANSWERS)
    outcome = await ask_once(Pop3(**login), await at(tcp_server, script))
    assert str(outcome) == 'L7OK greeted with "+OK ready", login as "probe", mailbox "+OK 2 320"'
    assert script.heard[:3] == [b"USER probe", b"PASS open sesame", b"STAT"]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (b"USER", 'L7STS login as "probe": answered "-ERR no"; expected +OK'),
        (b"PASS", 'L7STS login as "probe": answered "-ERR no"; expected +OK'),
        (b"STAT", 'L7STS STAT: answered "-ERR no"; expected +OK'),
    ],
)
async def test_a_command_that_is_refused(
    tcp_server: TcpServer, login: dict[str, Any], command: bytes, expected: str
) -> None:
    """Each one alone fails the check; a mailbox that cannot be opened is told apart from a login."""
    script = Script(b"+OK ready\r\n", {**ANSWERS, command: b"-ERR no\r\n"})
    assert str(await ask_once(Pop3(**login), await at(tcp_server, script))) == expected


async def test_a_greeting_is_required(tcp_server: TcpServer) -> None:
    """A port that accepts and is silent is no mail server, login or not."""
    outcome = await ask_once(Pop3(), await at(tcp_server, Script(b"")), 0.3)
    assert outcome.status is Status.FAIL
    assert str(outcome) == "L7TOUT no result within 0.3 s while waiting for the greeting"
