from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checkers.base import Code, OptionError
from checkers.imap import Imap
from tests.checkers.asking import ask_once
from tests.checkers.scripted import Script
from tests.checkers.servers import TcpServer
from tests.checkers.speaking import at

PASSWORD = 'a "quoted" \\ pässword'


@pytest.fixture
def login(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "password").write_text(PASSWORD, encoding="utf-8")
    return {"user": "probe", "password_file": str(tmp_path / "password")}


async def test_what_is_said(tcp_server: TcpServer, login: dict[str, Any]) -> None:
    """Names and passwords go as literals, each after the server has asked for it, so they may hold anything."""
    answers = {
        b"login LOGIN": b"+ go on\r\n",
        b"probe {": b"+\r\n",
        PASSWORD.encode(): b"* CAPABILITY IMAP4rev2\r\nlogin OK welcome\r\n",
        b"examine": b"+ go on\r\n",
        b"INBOX": b"* 3 EXISTS\r\nexamine OK [READ-ONLY] done\r\n",
    }
    script = Script(b"* OK ready\r\n", answers)
    outcome = await ask_once(Imap(mailbox="INBOX", **login), await at(tcp_server, script))
    assert str(outcome) == 'L7OK greeted with "* OK ready", login as "probe", mailbox "INBOX"'
    size = len(PASSWORD.encode())
    assert script.heard[:5] == [
        b"login LOGIN {5}",
        b"probe {%d}" % size,
        PASSWORD.encode(),
        b"examine EXAMINE {5}",
        b"INBOX",
    ]


async def test_a_login_that_is_not_taken(tcp_server: TcpServer, login: dict[str, Any]) -> None:
    """At once, before the password has been sent, as a server does that wants TLS first."""
    script = Script(b"* OK ready\r\n", {b"login": b"login NO [PRIVACYREQUIRED] use TLS\r\n"})
    outcome = await ask_once(Imap(**login), await at(tcp_server, script))
    assert str(outcome) == 'L7STS login as "probe": answered "login NO [PRIVACYREQUIRED] use TLS"; expected +'
    assert not any(PASSWORD.encode() in line for line in script.heard)


async def test_a_server_that_goes_down_midway(tcp_server: TcpServer, login: dict[str, Any]) -> None:
    """BYE ends the talk, whatever was asked."""
    script = Script(b"* OK ready\r\n", {b"login": b"* BYE shutting down\r\n"})
    outcome = await ask_once(Imap(**login), await at(tcp_server, script))
    assert str(outcome) == 'L7STS login as "probe": answered "* BYE shutting down"; expected +'


async def test_preauth_is_a_greeting(tcp_server: TcpServer) -> None:
    """RFC 9051, section 7.1.4."""
    outcome = await ask_once(Imap(), await at(tcp_server, Script(b"* PREAUTH IMAP4rev1 server logged in\r\n")))
    assert outcome.code == Code.L7OK


@pytest.mark.parametrize("mailbox", ["", "IN\r\nBOX", "Entwürfe"])
def test_a_mailbox_that_cannot_be_named(login: dict[str, Any], mailbox: str) -> None:
    """One needs a user too."""
    with pytest.raises(OptionError, match="must be a name in ASCII") as caught:
        Imap(mailbox=mailbox, **login)
    assert caught.value.option == "mailbox"
    with pytest.raises(OptionError, match="needs user, whose mailbox this is"):
        Imap(mailbox="INBOX")
