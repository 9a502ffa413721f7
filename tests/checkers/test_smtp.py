from __future__ import annotations

import base64
import os
from typing import Any

import pytest

from checkers.base import Code, OptionError
from checkers.smtp import Lmtp, Smtp, Submission
from tests.checkers.asking import ask_once
from tests.checkers.scripted import Script
from tests.checkers.servers import TcpServer
from tests.checkers.speaking import at

GREETING = b"220 mail.example.com ready\r\n"
ANSWERS = {
    b"EHLO": b"250-mail.example.com\r\n250-auth=login\r\n250-AUTH CRAM-MD5 LOGIN\r\n250 SIZE 1000\r\n",
    b"MAIL": b"250 2.1.0 Ok\r\n",
    b"RCPT": b"250 2.1.5 Ok\r\n",
}


async def test_what_is_said(tcp_server: TcpServer) -> None:
    """A name, the envelope where a recipient is given, and QUIT: never DATA."""
    script = Script(GREETING, ANSWERS)
    checker = Smtp(helo="director.example.com", mail_from="a@example.com", rcpt_to="probe@example.com")
    outcome = await ask_once(checker, await at(tcp_server, script))
    assert str(outcome) == (
        'L7OK greeted with "220 mail.example.com ready", EHLO, RCPT TO:<probe@example.com> accepted'
    )
    said = [b"EHLO director.example.com", b"MAIL FROM:<a@example.com>", b"RCPT TO:<probe@example.com>", b"QUIT"]
    assert script.heard in (said, said[:-1])  # the last may not have come yet


async def test_the_empty_sender(tcp_server: TcpServer) -> None:
    """No mailbox is needed for the answers to bounces, which nobody sends to a probe; this machine names itself."""
    script = Script(GREETING, ANSWERS)
    assert (await ask_once(Smtp(rcpt_to="postmaster"), await at(tcp_server, script))).code == Code.L7OK
    assert script.heard[:2] == [f"EHLO {os.uname().nodename}".encode(), b"MAIL FROM:<>"]


async def test_auth_plain(tcp_server: TcpServer, login: dict[str, Any]) -> None:
    """RFC 4616, in one line, where it is offered."""
    script = Script(GREETING, {b"EHLO": b"250-me\r\n250 AUTH LOGIN PLAIN\r\n", b"AUTH PLAIN": b"235 Welcome\r\n"})
    outcome = await ask_once(Submission(**login), await at(tcp_server, script))
    assert str(outcome).endswith('EHLO, login as "probe"')
    assert base64.b64decode(script.heard[1].split()[2]) == b"\0probe\0open sesame"


async def test_auth_login(tcp_server: TcpServer, login: dict[str, Any]) -> None:
    """The name and the password in a line each, where PLAIN is not offered."""
    user, password = base64.b64encode(b"probe"), base64.b64encode(b"open sesame")
    answers = {b"AUTH LOGIN": b"334 VXNlcg==\r\n", user: b"334 UGFzcw==\r\n", password: b"535 5.7.8 wrong\r\n"}
    script = Script(GREETING, {**ANSWERS, **answers})
    outcome = await ask_once(Smtp(**login), await at(tcp_server, script))
    assert str(outcome) == 'L7STS login as "probe": answered "535 5.7.8 wrong"; expected 235'
    assert script.heard[1:4] == [b"AUTH LOGIN", user, password]


async def test_auth_that_cannot_be_used(tcp_server: TcpServer, login: dict[str, Any]) -> None:
    """What is offered instead is shown."""
    script = Script(GREETING, {b"EHLO": b"250-me\r\n250 AUTH GSSAPI\r\n"})
    outcome = await ask_once(Smtp(**login), await at(tcp_server, script))
    assert str(outcome) == (
        'L7RSP login as "probe": the server offers AUTH "GSSAPI"; expected AUTH PLAIN or LOGIN; '
        "many servers offer it with TLS only: starttls = true"
    )


async def test_starttls_that_is_not_offered(tcp_server: TcpServer) -> None:
    """A server that has lost its certificate, or somebody between who has taken the offer away."""
    outcome = await ask_once(Smtp(starttls=True), await at(tcp_server, Script(GREETING, ANSWERS)))
    assert str(outcome) == 'L7RSP EHLO: STARTTLS is not offered, but "AUTH, SIZE"'


async def test_a_server_of_old(tcp_server: TcpServer) -> None:
    """One that does not know EHLO is asked with HELO, which is enough where nothing else is wanted of it."""
    answers = {b"EHLO": b"502 not implemented\r\n", b"HELO": b"250 hello\r\n"}
    outcome = await ask_once(Smtp(), await at(tcp_server, Script(GREETING, answers)))
    assert str(outcome) == 'L7OK greeted with "220 mail.example.com ready", HELO'
    refused = await ask_once(Smtp(starttls=True), await at(tcp_server, Script(GREETING, answers)))
    assert str(refused) == 'L7STS EHLO: answered "502 not implemented"; expected 250'


async def test_lmtp_says_lhlo(tcp_server: TcpServer) -> None:
    """And nothing else instead (RFC 2033, section 4.1)."""
    script = Script(GREETING, {b"LHLO": b"250 me\r\n"})
    assert str(await ask_once(Lmtp(), await at(tcp_server, script))).endswith('ready", LHLO')
    unknown = Script(GREETING, {b"LHLO": b"500 what\r\n", b"HELO": b"250 hello\r\n"})
    assert str(await ask_once(Lmtp(), await at(tcp_server, unknown))) == (
        'L7STS LHLO: answered "500 what"; expected 250'
    )


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"helo": "me\r\nMAIL"}, "helo", "must be a host name, or an address in brackets, not"),
        ({"mail_from": "a@example.com"}, "mail_from", "needs rcpt_to"),
        ({"rcpt_to": "a@example.com>\r\nDATA"}, "rcpt_to", 'must be an address such as "postmaster@example.com"'),
        ({"rcpt_to": ""}, "rcpt_to", "must be an address"),
        ({"rcpt_to": "a", "mail_from": "a b@example.com"}, "mail_from", "must be an address"),
        ({"rcpt_to": "jürgen@example.com"}, "rcpt_to", "must be an address"),
    ],
)
def test_options_that_cannot_work(options: dict[str, Any], option: str, message: str) -> None:
    """Nothing that could end a line gets into a command."""
    with pytest.raises(OptionError) as caught:
        Smtp(**options)
    assert caught.value.option == option
    assert str(caught.value).startswith(message)
