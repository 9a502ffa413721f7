"""IMAP, POP3 and LMTP, from Debian's dovecot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checkers.base import Code, Status, Target
from checkers.imap import Imap, Imaps
from checkers.lines import LineChecker
from checkers.pop3 import Pop3, Pop3s
from checkers.smtp import Lmtp
from tests.checkers.asking import ask
from tests.checkers.certificates import Pki
from tests.real.dovecot import PASSWORD, USER, Dovecot
from tests.real.programs import through_faults
from tests.real.unprivileged import reachable_folder
from tests.support.processes import until


@pytest.fixture(scope="module")
def dovecot(pki: Pki) -> Iterator[Dovecot]:
    with reachable_folder() as folder, Dovecot(folder / "dovecot", pki.issued("127.0.0.1")) as program:
        yield program


@pytest.fixture(scope="module")
def options(folder: Path, pki: Pki) -> dict[str, dict[str, Any]]:
    """By name: what a check needs for TLS, for a login, and for one that is refused."""
    good, bad = folder / "good", folder / "bad"
    good.write_text(f"{PASSWORD}\n")
    bad.write_text("open barley\n")
    return {
        "tls": {"ca_file": pki.ca_file},
        "login": {"user": USER, "password_file": str(good)},
        "wrong": {"user": USER, "password_file": str(bad)},
    }


Options = dict[str, dict[str, Any]]


def at(dovecot: Dovecot, service: str) -> Target:
    return Target(address="127.0.0.1", port=dovecot.ports[service])


async def test_imap_through_faults(dovecot: Dovecot, options: Options) -> None:
    """STARTTLS, a login and the inbox; who has stopped refuses, and who hangs is cut off."""
    checker = Imap(starttls=True, mailbox="INBOX", **options["tls"], **options["login"])
    outcomes = await through_faults(checker, at(dovecot, "imap"), dovecot, refused=Code.L4CON, hung=Code.L7TOUT)
    assert outcomes[0].detail.startswith('greeted with "* OK [CAPABILITY IMAP4rev1 ')
    assert outcomes[0].detail.endswith(', TLS, login as "probe", mailbox "INBOX"')


async def test_pop3_through_faults(dovecot: Dovecot, options: Options) -> None:
    """STLS, a login and the number of messages."""
    checker = Pop3(starttls=True, **options["tls"], **options["login"])
    outcomes = await through_faults(checker, at(dovecot, "pop3"), dovecot, refused=Code.L4CON, hung=Code.L7TOUT)
    greeting = 'greeted with "+OK Dovecot ready."'
    assert outcomes[0].detail == f'{greeting}, TLS, login as "probe", mailbox "+OK 0 0"'


async def test_lmtp_through_faults(dovecot: Dovecot) -> None:
    """A recipient whom it would deliver to."""
    checker = Lmtp(rcpt_to="probe@example.com")
    outcomes = await through_faults(checker, at(dovecot, "lmtp"), dovecot, refused=Code.L4CON, hung=Code.L7TOUT)
    assert outcomes[0].detail.endswith('Dovecot ready.", LHLO, RCPT TO:<probe@example.com> accepted')


async def test_a_greeting_is_enough_without_a_login(dovecot: Dovecot, options: Options) -> None:
    """In the clear and with TLS from the beginning."""
    checkers: dict[str, LineChecker] = {
        "imap": Imap(),
        "imaps": Imaps(**options["tls"]),
        "pop3": Pop3(greeting="Dovecot"),
        "pop3s": Pop3s(**options["tls"]),
        "lmtp": Lmtp(),
    }
    for service, checker in checkers.items():
        outcome = await ask(checker, at(dovecot, service))
        assert (outcome.status, outcome.code) == (Status.PASS, Code.L7OK), (service, outcome)


async def test_wrong_credentials(dovecot: Dovecot, options: Options) -> None:
    """L7STS with the server's reason; the password is in no text."""
    imap = await ask(Imaps(**options["tls"], **options["wrong"]), at(dovecot, "imaps"))
    assert str(imap) == (
        'L7STS login as "probe": answered "login NO [AUTHENTICATIONFAILED] Authentication failed."; expected OK'
    )
    pop3 = await ask(Pop3s(**options["tls"], **options["wrong"]), at(dovecot, "pop3s"))
    assert str(pop3) == 'L7STS login as "probe": answered "-ERR [AUTH] Authentication failed."; expected +OK'


async def test_a_login_in_the_clear_goes_to_who_takes_it(dovecot: Dovecot, options: Options) -> None:
    """Dovecot takes it from a peer on its own machine."""
    assert (await ask(Imap(**options["login"]), at(dovecot, "imap"))).code == Code.L7OK
    assert (await ask(Pop3(**options["login"]), at(dovecot, "pop3"))).code == Code.L7OK


async def test_wrong_content(dovecot: Dovecot, options: Options) -> None:
    """A mailbox or a recipient that is not there, and a greeting that another server gives."""
    mailbox = await ask(Imaps(mailbox="Nowhere", **options["tls"], **options["login"]), at(dovecot, "imaps"))
    said = str(mailbox).replace("[NONEXISTENT] ", "")  # which 2.4 says, and 2.3 does not
    assert said.startswith('L7STS mailbox "Nowhere": answered "examine NO Mailbox doesn\'t exist: Nowhere')
    recipient = await ask(Lmtp(mail_from="a@example.com", rcpt_to="nobody@example.com"), at(dovecot, "lmtp"))
    assert str(recipient).startswith('L7STS RCPT TO:<nobody@example.com>: answered "550 5.1.1 ')
    greeting = await ask(Pop3(greeting="Cyrus"), at(dovecot, "pop3"))
    assert str(greeting) == 'L7RSP greeted with "+OK Dovecot ready."; expected "Cyrus" in it'


async def test_another_protocol(dovecot: Dovecot) -> None:
    """A mixed-up port is told by what came instead."""
    imap = await ask(Imap(), at(dovecot, "pop3"))
    expected = 'L7RSP greeting: expected a greeting such as "* OK text", received "+OK Dovecot ready."'
    assert str(imap) == expected
    pop3 = await ask(Pop3(), at(dovecot, "imap"))
    assert str(pop3).startswith('L7RSP greeting: expected +OK or -ERR, received "* OK [CAPABILITY')


@pytest.mark.parametrize("service", ["imap", "imaps", "pop3", "pop3s"])
async def test_an_expired_certificate(pki: Pki, service: str) -> None:
    """From the beginning or after STARTTLS: L6RSP, in OpenSSL's words."""
    late = service in ("imap", "pop3")
    checker = {"imap": Imap, "imaps": Imaps, "pop3": Pop3, "pop3s": Pop3s}[service]
    expired = pki.issued("127.0.0.1", expired=True)
    with reachable_folder() as folder, Dovecot(folder / "dovecot", expired) as dovecot:
        outcome = await ask(checker(ca_file=pki.ca_file, **({"starttls": True} if late else {})), at(dovecot, service))
    assert str(outcome) == "L6RSP TLS handshake: certificate not accepted: certificate has expired"


async def test_the_server_sees_proper_ends(pki: Pki, options: Options) -> None:
    """Its log, in which nobody else is, tells of logins and logouts, never of a lost connection."""
    with reachable_folder() as folder, Dovecot(folder / "dovecot", pki.issued("127.0.0.1")) as dovecot:
        await ask(Imaps(**options["tls"], **options["login"]), at(dovecot, "imaps"))
        await ask(Pop3s(**options["tls"], **options["login"]), at(dovecot, "pop3s"))
        await ask(Lmtp(), at(dovecot, "lmtp"))
        await until(lambda: dovecot.log.read_text().count("Logged out") == 6)  # in a task and by the engine
        told = dovecot.log.read_text().splitlines()
    assert not [line for line in told if "Connection closed" in line]
