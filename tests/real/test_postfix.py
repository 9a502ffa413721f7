"""Postfix, from Debian's postfix: mail by SMTP and submission, with logins by dovecot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checkers.base import Code, Status, Target
from checkers.smtp import Smtp, Submission
from tests.checkers.asking import ask, ask_once
from tests.checkers.certificates import Pki
from tests.real.dovecot import PASSWORD, USER, Dovecot
from tests.real.postfix import Postfix
from tests.real.programs import through_faults
from tests.real.unprivileged import reachable_folder
from tests.support.processes import until

Options = dict[str, Any]


@pytest.fixture(scope="module")
def postfix(pki: Pki) -> Iterator[Postfix]:
    if os.geteuid() != 0:
        pytest.skip("postfix's master starts as root alone")
    with (
        reachable_folder() as folder,
        Dovecot(folder / "dovecot", pki.issued("127.0.0.1")) as dovecot,
        Postfix(folder / "postfix", dovecot.ports["sasl"], pki) as program,
    ):
        yield program


@pytest.fixture(scope="module")
def login(folder: Path, pki: Pki) -> Options:
    """A login within TLS."""
    (folder / "good").write_text(f"{PASSWORD}\n")
    return {"ca_file": pki.ca_file, "user": USER, "password_file": str(folder / "good")}


@pytest.fixture(scope="module")
def wrong(folder: Path, login: Options) -> Options:
    (folder / "bad").write_text("open barley\n")
    return {**login, "password_file": str(folder / "bad")}


def at(postfix: Postfix, service: str) -> Target:
    return Target(address="127.0.0.1", port=postfix.ports[service])


async def test_smtp_through_faults(postfix: Postfix, login: Options) -> None:
    """STARTTLS, a login and a recipient; who has stopped refuses, and who hangs is cut off."""
    checker = Smtp(starttls=True, mail_from="sender@example.com", rcpt_to="probe@example.com", **login)
    outcomes = await through_faults(checker, at(postfix, "smtp"), postfix, refused=Code.L4CON, hung=Code.L7TOUT)
    assert outcomes[0].detail == (
        'greeted with "220 mail.example.com ESMTP Postfix", EHLO, TLS, EHLO, '
        'login as "probe", RCPT TO:<probe@example.com> accepted'
    )
    assert outcomes[1].detail == "no result within 1 s while waiting for the greeting"


async def test_an_answer_to_ehlo_is_enough(postfix: Postfix, login: Options) -> None:
    """On every port of a mail server, with TLS where it begins with it."""
    assert str(await ask(Smtp(), at(postfix, "smtp"))).endswith('ESMTP Postfix", EHLO')
    assert (await ask(Submission(helo="director.example.com"), at(postfix, "submission"))).code == Code.L7OK
    assert (await ask(Smtp(tls=True, **login), at(postfix, "smtps"))).code == Code.L7OK


async def test_a_banner_of_several_lines(postfix: Postfix) -> None:
    """As postscreen gives one to whom it does not know yet; any of its lines may hold the expected text."""
    outcome = await ask_once(Smtp(greeting="be patient"), at(postfix, "postscreen"))
    assert (outcome.status, outcome.code) == (Status.PASS, Code.L7OK), outcome


async def test_wrong_credentials(postfix: Postfix, wrong: Options) -> None:
    """L7STS with the server's reason; the password is in no text."""
    outcome = await ask(Submission(starttls=True, **wrong), at(postfix, "submission"))
    assert str(outcome).startswith('L7STS login as "probe": answered "535 5.7.8 Error: authentication failed')
    assert outcome.detail.endswith("expected 235")


async def test_wrong_content(postfix: Postfix) -> None:
    """A recipient whom it does not know, one whom it does not relay to, and a greeting that another server gives."""
    unknown = await ask(Smtp(rcpt_to="nobody@example.com"), at(postfix, "smtp"))
    assert str(unknown).startswith('L7STS RCPT TO:<nobody@example.com>: answered "550 5.1.1 ')
    foreign = await ask(Smtp(rcpt_to="probe@example.net"), at(postfix, "smtp"))
    assert "554 5.7.1 <probe@example.net>: Relay access denied" in str(foreign)
    greeting = await ask(Smtp(greeting="Exim"), at(postfix, "smtp"))
    assert str(greeting) == ('L7RSP greeted with "220 mail.example.com ESMTP Postfix"; expected "Exim" in it')


async def test_what_needs_tls_says_so(postfix: Postfix, login: Options) -> None:
    """A login that is not offered in the clear, and a server that takes no mail there."""
    options = {option: login[option] for option in ("user", "password_file")}
    offered = await ask(Smtp(**options), at(postfix, "smtp"))
    assert str(offered) == (
        'L7RSP login as "probe": the server offers no AUTH; expected AUTH PLAIN or LOGIN; '
        "many servers offer it with TLS only: starttls = true"
    )
    refused = await ask(Submission(rcpt_to="probe@example.com"), at(postfix, "submission"))
    assert str(refused) == 'L7STS MAIL FROM:<>: answered "530 5.7.0 Must issue a STARTTLS command first"; expected 250'


async def test_an_expired_certificate(postfix: Postfix, pki: Pki) -> None:
    """After STARTTLS as from the beginning: L6RSP, in OpenSSL's words."""
    outcome = await ask(Smtp(starttls=True, ca_file=pki.ca_file), at(postfix, "expired"))
    assert str(outcome) == "L6RSP TLS handshake: certificate not accepted: certificate has expired"


async def test_the_server_sees_proper_ends(postfix: Postfix, login: Options, wrong: Options) -> None:
    """Its log tells of quits, never of a lost connection, be the outcome good or bad; and no mail was taken."""

    def said(what: str) -> int:
        return postfix.log.read_text().count(what)

    await until(lambda: said(" connect from") == said(" disconnect from"))  # who was there before has gone
    before = len(postfix.log.read_text())
    await ask(Smtp(rcpt_to="probe@example.com"), at(postfix, "smtp"))
    await ask(Submission(starttls=True, **login), at(postfix, "submission"))
    await ask(Submission(starttls=True, **wrong), at(postfix, "submission"))
    await until(lambda: postfix.log.read_text()[before:].count(" quit=1") == 6)  # in a task and by the engine
    told = postfix.log.read_text()[before:]
    assert "lost connection" not in told
    assert not [path for path in (postfix.folder / "queue/active").rglob("*") if path.is_file()]
