from __future__ import annotations

from typing import Any

import pytest

from checkers.base import Code, OptionError
from checkers.nntp import Nntp
from tests.checkers.asking import ask_once
from tests.checkers.scripted import Script
from tests.checkers.servers import TcpServer
from tests.checkers.speaking import at

ANSWERS = {
    b"MODE READER": b"200 reader\r\n",
    b"AUTHINFO USER": b"381 password\r\n",
    b"AUTHINFO PASS": b"281 welcome\r\n",
    b"GROUP": b"211 5 1 5 example.health\r\n",
}


async def test_what_is_said(tcp_server: TcpServer, login: dict[str, Any]) -> None:
    """The commands of readers come after MODE READER."""
    script = Script(b"201 ready\r\n", ANSWERS)
    outcome = await ask_once(Nntp(group="example.health", **login), await at(tcp_server, script))
    assert str(outcome) == 'L7OK greeted with "201 ready", login as "probe", group "211 5 1 5 example.health"'
    expected = [b"MODE READER", b"AUTHINFO USER probe", b"AUTHINFO PASS open sesame", b"GROUP example.health"]
    assert script.heard[:4] == expected


@pytest.mark.parametrize("answer", [b"500 what?", b"480 log in first", b"503 no"])
async def test_mode_reader_may_be_unknown(tcp_server: TcpServer, login: dict[str, Any], answer: bytes) -> None:
    """A server that has readers only may do without it; for some the name is a login."""
    answers = {**ANSWERS, b"MODE READER": answer + b"\r\n", b"AUTHINFO USER": b"281 welcome\r\n"}
    outcome = await ask_once(Nntp(**login), await at(tcp_server, Script(b"200 ready\r\n", answers)))
    assert outcome.code == Code.L7OK


async def test_mode_reader_may_be_refused(tcp_server: TcpServer) -> None:
    """For good (502), or because the server is full (400)."""
    script = Script(b"200 ready\r\n", {b"MODE READER": b"502 not for you\r\n"})
    outcome = await ask_once(Nntp(group="example.health"), await at(tcp_server, script))
    assert str(outcome) == 'L7STS MODE READER: answered "502 not for you"; expected 200 or 201'


@pytest.mark.parametrize("group", ["", "a b", "a\r\nQUIT", "ü"])
def test_a_group_that_cannot_be_named(group: str) -> None:
    """Nothing that could end a line gets into a command."""
    with pytest.raises(OptionError, match="must be the name of a newsgroup") as caught:
        Nntp(group=group)
    assert caught.value.option == "group"
