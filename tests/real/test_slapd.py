"""OpenLDAP, from Debian's slapd: LDAP with StartTLS, and LDAPS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from checkers.base import Code, Outcome, Status, Target
from checkers.ldap import Ldap, Ldaps
from tests.checkers.asking import ask
from tests.checkers.certificates import Pki
from tests.real.programs import through_faults
from tests.real.slapd import PASSWORD, PROBE, Slapd
from tests.real.unprivileged import reachable_folder


class Servers(NamedTuple):
    good: Slapd
    expired: Slapd


@pytest.fixture(scope="module")
def servers(pki: Pki) -> Iterator[Servers]:
    certificates = pki.issued("127.0.0.1"), pki.issued("127.0.0.1", expired=True)
    with (
        reachable_folder() as folder,
        Slapd(folder / "good", certificates[0]) as good,
        Slapd(folder / "expired", certificates[1]) as expired,
    ):
        yield Servers(good, expired)


@pytest.fixture(scope="module")
def login(folder: Path) -> dict[str, str]:
    (folder / "password").write_text(PASSWORD + "\n")
    return {"bind_dn": PROBE, "password_file": str(folder / "password")}


def at(server: Slapd, *, ldaps: bool = False) -> Target:
    return Target(address="127.0.0.1", port=server.ldaps if ldaps else server.port)


async def asked(servers: Servers, **options: Any) -> Outcome:
    return await ask(Ldap(**options), at(servers.good))


@pytest.mark.parametrize("bound", [False, True])
async def test_through_faults(servers: Servers, login: dict[str, Any], *, bound: bool) -> None:
    """Refused when stopped, cut off at the deadline when held, and back again."""
    checker = Ldap(**(login if bound else {}), base="dc=example,dc=com", attribute="o", expect="Example")
    outcomes = await through_faults(checker, at(servers.good), servers.good, refused=Code.L4CON, hung=Code.L7TOUT)
    who = f'as "{PROBE}"' if bound else "anonymously"
    assert str(outcomes[0]) == f'L7OK bound {who}, entry "dc=example,dc=com" has o "Example"'
    what = f"bind {who}" if bound else "anonymous bind"
    assert outcomes[1].detail == f"no result within 1 s while waiting for the answer to {what}"


async def test_starttls_and_ldaps_through_faults(servers: Servers, pki: Pki) -> None:
    """Either is cut off where it is held."""
    checker = Ldap(starttls=True, base="", ca_file=pki.ca_file)
    await through_faults(checker, at(servers.good), servers.good, refused=Code.L4CON, hung=Code.L7TOUT)
    target = at(servers.good, ldaps=True)
    await through_faults(Ldaps(ca_file=pki.ca_file), target, servers.good, refused=Code.L4CON, hung=Code.L6TOUT)


async def test_an_expired_certificate(servers: Servers, pki: Pki) -> None:
    """It is told as such, after StartTLS and with LDAPS."""
    said = "L6RSP TLS handshake: certificate not accepted: certificate has expired"
    assert str(await ask(Ldap(starttls=True, ca_file=pki.ca_file), at(servers.expired))) == said
    assert str(await ask(Ldaps(ca_file=pki.ca_file), at(servers.expired, ldaps=True))) == said


async def test_wrong_credentials(servers: Servers, folder: Path) -> None:
    """A wrong password and a name that is none are told apart by the server, and here."""
    (folder / "wrong").write_text("wrong")
    wrong = str(folder / "wrong")
    outcome = await asked(servers, bind_dn=PROBE, password_file=wrong)
    assert str(outcome) == f'L7STS bind as "{PROBE}": 49 invalidCredentials'
    outcome = await asked(servers, bind_dn="probe", password_file=wrong)
    assert str(outcome) == 'L7STS bind as "probe": 34 invalidDNSyntax "invalid DN"'


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"base": ""}, 'L7OK bound anonymously, found entry ""'),
        ({"base": PROBE, "expect": "CN=probe, DC=example,DC=com"}, f'L7OK bound anonymously, found entry "{PROBE}"'),
        (
            {"base": PROBE, "attribute": "Mail", "expect": "health@example.com"},
            f'L7OK bound anonymously, entry "{PROBE}" has Mail "probe@example.com", "health@example.com"',
        ),
        ({"base": PROBE, "expect": "cn=x"}, f'L7RSP found entry "{PROBE}"; expected "cn=x"'),
        (
            {"base": PROBE, "attribute": "sn", "expect": "x"},
            f'L7RSP entry "{PROBE}" has sn "Probe"; expected "x"',
        ),
        ({"base": PROBE, "attribute": "userPassword"}, f'L7RSP entry "{PROBE}" has no userPassword that may be read'),
        ({"base": "cn=none,dc=example,dc=com"}, 'L7STS search for "cn=none,dc=example,dc=com": 32 noSuchObject'),
        ({"base": "cn=hidden,dc=example,dc=com"}, 'L7STS search for "cn=hidden,dc=example,dc=com": 32 noSuchObject'),
    ],
)
async def test_content(servers: Servers, options: dict[str, Any], said: str) -> None:
    """What was found and what was expected, apart from what the server refuses."""
    assert str(await asked(servers, **options)) == said


async def test_a_login_may_see_more(servers: Servers, login: dict[str, Any]) -> None:
    """The search is made as the one who is bound."""
    assert (await asked(servers, base="cn=hidden,dc=example,dc=com", **login)).status is Status.PASS
