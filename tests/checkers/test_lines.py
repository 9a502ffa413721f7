"""What all line protocols have in common, tried on one of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from checkers.base import Code, OptionError, Status
from checkers.imap import Imap, Imaps
from checkers.lines import LoginChecker
from checkers.nntp import Nntp
from checkers.pop3 import Pop3, Pop3s
from checkers.smtp import Smtp
from checkers.ssh import Ssh
from tests.checkers.asking import ask, ask_once
from tests.checkers.certificates import Pki
from tests.checkers.scripted import TLS, Script
from tests.checkers.servers import TcpServer
from tests.checkers.speaking import at
from tests.support.processes import until


async def test_it_says_goodbye(tcp_server: TcpServer) -> None:
    """After a pass and after a well-formed refusal, without waiting for the answer."""
    script = Script(b"+OK ready\r\n", {b"USER": b"-ERR no\r\n"})
    target = await at(tcp_server, script)
    assert (await ask_once(Pop3(), target)).code == Code.L7OK
    assert (await ask_once(Pop3(greeting="other"), target)).code == Code.L7RSP
    await until(lambda: script.heard == [b"QUIT", b"QUIT"])


async def test_who_does_not_speak_the_protocol_gets_no_goodbye(tcp_server: TcpServer) -> None:
    """It would be noise in another server's log."""
    ended = asyncio.Event()
    heard = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HELLO\r\n")
        heard.append(await reader.read())
        ended.set()

    outcome = await ask_once(Pop3(), await at(tcp_server, handler))
    assert str(outcome) == 'L7RSP greeting: expected +OK or -ERR, received "HELLO"'
    await ended.wait()
    assert heard == [b""]


async def test_a_goodbye_that_nobody_takes(tcp_server: TcpServer) -> None:
    """The verdict was spoken before."""

    async def handler(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"+OK ready\r\n")
        await writer.drain()
        writer.transport.abort()

    for _ in range(20):
        assert (await ask_once(Pop3(), await at(tcp_server, handler))).code in (Code.L7OK, Code.L7RSP)


async def test_a_greeting_that_says_no(tcp_server: TcpServer) -> None:
    """A well-formed one: L7STS, with the server's reason."""
    pop3 = await ask(Pop3(), await at(tcp_server, Script(b"-ERR [SYS/TEMP] out of disk\r\n")))
    assert str(pop3) == 'L7STS greeted with "-ERR [SYS/TEMP] out of disk"; expected +OK'
    smtp = await ask(Smtp(), await at(tcp_server, Script(b"554-no\r\n554 SMTP service here\r\n")))
    assert str(smtp) == 'L7STS greeted with "554 SMTP service here"; expected 220'
    imap = await ask(Imap(), await at(tcp_server, Script(b"* BYE too many connections\r\n")))
    assert str(imap) == 'L7STS greeted with "* BYE too many connections"; expected OK or PREAUTH'
    nntp = await ask(Nntp(), await at(tcp_server, Script(b"400 load too high\r\n")))
    assert str(nntp) == 'L7STS greeted with "400 load too high"; expected 200 or 201'


COMMANDS = {
    "smtp": (Smtp, b"220 ready\r\n", {b"EHLO": b"250-me\r\n250 STARTTLS\r\n", b"STARTTLS": b"220 go\r\n"}),
    "pop3": (Pop3, b"+OK ready\r\n", {b"STLS": b"+OK go\r\n"}),
    "imap": (Imap, b"* OK ready\r\n", {b"tls STARTTLS": b"tls OK go\r\n"}),
    "nntp": (Nntp, b"200 ready\r\n", {b"STARTTLS": b"382 go\r\n"}),
}


@pytest.mark.parametrize("kind", COMMANDS)
async def test_starttls(tcp_server: TcpServer, pki: Pki, kind: str) -> None:
    """TLS by the options that all checks share; a certificate for another name is L6RSP."""
    checker, greeting, answers = COMMANDS[kind]
    answers = {start: text + TLS if b"go" in text else text for start, text in answers.items()}
    script = Script(greeting, answers, pki.server(pki.issued("mail.example.com")))
    target = await at(tcp_server, script)
    named = checker(starttls=True, ca_file=pki.ca_file, tls_name="mail.example.com")
    outcome = await ask(named, target)
    assert (outcome.status, outcome.code) == (Status.PASS, Code.L7OK), outcome
    assert ", TLS" in outcome.detail
    other = await ask(checker(starttls=True, ca_file=pki.ca_file), target)
    assert other.code == Code.L6RSP
    assert "IP address mismatch" in other.detail


@pytest.mark.parametrize("kind", COMMANDS)
async def test_text_injected_before_tls(tcp_server: TcpServer, pki: Pki, kind: str) -> None:
    """What somebody between puts behind the last answer in the clear is never taken for the server's (RFC 3207)."""
    checker, greeting, answers = COMMANDS[kind]
    more = b"250 injected\r\n+OK injected\r\ntls OK injected\r\n"
    answers = {start: text + more + TLS if b"go" in text else text for start, text in answers.items()}
    script = Script(greeting, answers, pki.server(pki.issued("127.0.0.1")))
    outcome = await ask(checker(starttls=True, ca_file=pki.ca_file), await at(tcp_server, script))
    assert outcome.status is Status.FAIL
    expected = "L7RSP STARTTLS: text was injected before the TLS handshake: "
    assert str(outcome).startswith((expected, "L6RSP TLS handshake: "))  # it came with the answer, or just after it


async def test_starttls_that_is_refused(tcp_server: TcpServer) -> None:
    """The check goes on in the clear under no circumstances: that is what an attacker would want."""
    script = Script(b"+OK ready\r\n", {b"STLS": b"-ERR not now\r\n", b"USER": b"+OK\r\n", b"PASS": b"+OK\r\n"})
    outcome = await ask_once(Pop3(starttls=True), await at(tcp_server, script))
    assert str(outcome) == 'L7STS STLS: answered "-ERR not now"; expected +OK'
    assert set(script.heard) <= {b"STLS", b"QUIT"}


@pytest.mark.parametrize(
    ("kind", "options", "option", "message"),
    [
        (Smtp, {"tls": True, "starttls": True}, "starttls", "cannot stand beside tls = true: TLS is spoken from the"),
        (Pop3, {"user": "probe"}, "user", "needs password_file"),
        (Imap, {"password_file": "/etc/password"}, "password_file", "needs user, whose password this is"),
        (Nntp, {"user": "pro\nbe"}, "user", "must not be empty, and may hold no control character"),
        (Pop3, {"user": ""}, "user", "must not be empty"),
        (Ssh, {"greeting": ""}, "greeting", "must not be empty: leave it out to take any"),
        (Smtp, {"verify": False}, "verify", "has no effect without tls = true or starttls = true"),
        (Ssh, {"verify": False}, "verify", "has no effect without tls = true"),
        (Imaps, {"tls": False}, "tls", 'cannot be false here: type = "imap" is the one without TLS'),
        (Pop3s, {"tls": False}, "tls", 'cannot be false here: type = "pop3" is the one without TLS'),
        (Imaps, {"starttls": True}, "starttls", "cannot stand beside tls = true"),
    ],
)
def test_options_that_cannot_work(kind: type[LoginChecker], options: dict[str, Any], option: str, message: str) -> None:
    """They are refused by name when the configuration is read."""
    with pytest.raises(OptionError) as caught:
        kind(**options)
    assert caught.value.option == option
    assert str(caught.value).startswith(message)


def test_a_password_is_in_no_repr(login: dict[str, Any], tmp_path: Path) -> None:
    """And a check whose password has changed is another check."""
    before = Imap(**login)
    assert "sesame" not in repr(before)
    assert before == Imap(**login)
    (tmp_path / "password").write_text("open barley\n")
    assert before != Imap(**login)
