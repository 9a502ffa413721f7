"""PostgreSQL, from Debian's postgresql: a primary, and a streaming replica whose certificate has expired."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from checkers.base import Code, Outcome, Status, Target
from checkers.postgres import Postgres
from tests.checkers.asking import ask, longer
from tests.checkers.certificates import Pki
from tests.checkers.leaks import nothing_left
from tests.real.postgres import PASSWORD
from tests.real.postgres import Postgres as Server
from tests.real.programs import through_faults
from tests.real.unprivileged import reachable_folder


class Servers(NamedTuple):
    primary: Server
    replica: Server


@pytest.fixture(scope="module")
def servers(pki: Pki) -> Iterator[Servers]:
    with reachable_folder() as folder, Server(folder / "primary", pki.issued("127.0.0.1")) as primary:
        primary.fill()
        with Server(folder / "replica", pki.issued("127.0.0.1", expired=True), primary) as replica:
            yield Servers(primary, replica)


@pytest.fixture(scope="module")
def password_file(folder: Path) -> str:
    (folder / "password").write_text(PASSWORD + "\n")
    return str(folder / "password")


def at(server: Server) -> Target:
    return Target(address="127.0.0.1", port=server.port)


async def asked(server: Server, **options: Any) -> Outcome:
    async with nothing_left():
        return await ask(Postgres(**{"database": "postgres", **options}), at(server))


@pytest.mark.parametrize("user", ["scram", "md5"])
async def test_a_login_with_a_query(servers: Servers, password_file: str, user: str) -> None:
    """The password is proven by either method that does not tell it, and the query's first value looked at."""
    query = "SELECT visits FROM pages WHERE visits > 40"
    outcome = await asked(servers.primary, user=user, password_file=password_file, query=query, expect="42")
    said = f'L7OK logged in as "{user}", the query returned 1 row, the first value is "42"'
    assert str(outcome) == said


async def test_through_faults_logged_in(servers: Servers, password_file: str) -> None:
    """Refused when stopped, cut off at the deadline when held, and back again."""
    checker = Postgres(user="scram", password_file=password_file, database="postgres", query="SELECT 1", expect="1")
    async with nothing_left():
        outcomes = await through_faults(
            checker, at(servers.primary), servers.primary, refused=Code.L4CON, hung=Code.L7TOUT
        )
    assert outcomes[1].detail == "no result within 1 s while logging in"


async def test_through_faults_without_a_login(servers: Servers) -> None:
    """The handshake tells of a living server, and of nothing else."""
    outcomes = await through_faults(
        Postgres(), at(servers.primary), servers.primary, refused=Code.L4CON, hung=Code.L7TOUT
    )
    assert str(outcomes[0]) == "L7OK lets clients log in, by a password and SASL"


async def test_through_faults_over_tls(servers: Servers, pki: Pki) -> None:
    """A server that is held answers no SSLRequest."""
    checker = Postgres(tls=True, ca_file=pki.ca_file)
    target = at(servers.primary)
    await through_faults(checker, target, servers.primary, refused=Code.L4CON, hung=Code.L6TOUT)


async def test_held_within_a_query(servers: Servers, password_file: str) -> None:
    """The deadline is one for everything, and nothing is left of the check behind it."""
    checker = Postgres(user="scram", password_file=password_file, database="postgres", query="SELECT pg_sleep(300)")

    def within(outcome: Outcome) -> bool:
        return outcome.detail.endswith(" s while running the query")

    async with nothing_left():
        outcome = await longer(lambda seconds: ask(checker, at(servers.primary), seconds), 0.7, within)
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7TOUT)
    assert within(outcome)


async def test_tls_with_a_login(servers: Servers, pki: Pki, password_file: str) -> None:
    """Where it is encrypted even a method that tells the password is used."""
    options = {"tls": True, "ca_file": pki.ca_file, "password_file": password_file}
    query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    for user in ("scram", "plain"):
        outcome = await asked(servers.primary, user=user, query=query, expect="t", **options)
        assert outcome.status is Status.PASS, outcome


async def test_an_expired_certificate(servers: Servers, pki: Pki, password_file: str) -> None:
    """It is told as such, with and without a login."""
    login: dict[str, Any] = {"user": "scram", "password_file": password_file, "database": "postgres"}
    for options in ({}, login):
        checker = Postgres(tls=True, ca_file=pki.ca_file, **options)
        outcome = await ask(checker, at(servers.replica))
        assert str(outcome) == "L6RSP TLS handshake: certificate not accepted: certificate has expired"


async def test_wrong_credentials(servers: Servers, folder: Path) -> None:
    """The server's own words, and a code of their own."""
    (folder / "wrong").write_text("wrong")
    outcome = await asked(servers.primary, user="scram", password_file=str(folder / "wrong"))
    said = r'L7STS logging in: 28P01 "password authentication failed for user \"scram\""'
    assert str(outcome) == said.replace("\\", "")
    outcome = await asked(servers.primary, user="nobody")
    assert outcome.code == Code.L7STS
    assert "no pg_hba.conf entry" in outcome.detail


async def test_the_password_is_not_told_in_the_clear(servers: Servers, password_file: str) -> None:
    """A server that asks for it without TLS is one that anybody could be."""
    outcome = await asked(servers.primary, user="plain", password_file=password_file)
    said = "L7STS logging in: it asks for the password in the clear, which is told with tls = true only"
    assert str(outcome) == said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"expect": "43"}, 'L7RSP the first value is "42"; expected "43"'),
        ({"min_rows": 3}, "L7RSP the query returned 2 rows; expected at least 3"),
        ({"query": "SELECT * FROM pages WHERE false"}, "L7RSP the query returned 0 rows; expected at least 1"),
        ({"query": "SELECT NULL", "expect": "1"}, 'L7RSP the first value is NULL; expected "1"'),
        ({"query": "SELECT nothing"}, 'L7STS running the query: 42703 "column "nothing" does not exist"'),
        (
            {"query": "SELECT repeat('x', 1024) FROM generate_series(1, 2000)"},
            "L7RSP the server sent more than 65536 bytes",
        ),
        ({"database": "none"}, 'L7STS logging in: 3D000 "database "none" does not exist"'),
    ],
)
async def test_wrong_content(servers: Servers, options: dict[str, Any], said: str) -> None:
    """What was found and what was expected, apart from what the server refuses."""
    query = "SELECT visits FROM pages ORDER BY visits"
    assert str(await asked(servers.primary, user="trusted", **{"query": query, **options})) == said


async def test_roles(servers: Servers) -> None:
    """A server in recovery is a replica, and either is wanted."""
    found = 'L7OK logged in as "trusted", is a {}'
    assert str(await asked(servers.primary, user="trusted", role="primary")) == found.format("primary")
    assert str(await asked(servers.replica, user="trusted", role="replica")) == found.format("replica")
    outcome = await asked(servers.replica, user="trusted", role="primary", query="SELECT 1")
    assert str(outcome) == "L7STS it is a replica (pg_is_in_recovery() is t); expected a primary"
    outcome = await asked(servers.primary, user="trusted", role="replica")
    assert str(outcome) == "L7STS it is a primary (pg_is_in_recovery() is f); expected a replica"


async def test_the_server_complains_of_nothing(servers: Servers, password_file: str) -> None:
    """Sessions are ended as they should be, and a handshake leaves no line in the server's log."""
    log = servers.primary.folder / "output.log"
    await servers.primary.rest()
    before = log.read_text()
    login: dict[str, Any] = {"user": "scram", "password_file": password_file, "database": "postgres"}
    for options in ({}, login):
        assert (await ask(Postgres(**options), at(servers.primary))).status is Status.PASS
    await servers.primary.rest()
    assert log.read_text().removeprefix(before) == ""


async def test_the_library_goes_the_way_that_is_chosen(servers: Servers) -> None:
    """Its connection is one of ours."""
    checker = Postgres(user="trusted", database="postgres", source="127.0.0.2")
    outcome = await ask(checker, dataclasses.replace(at(servers.primary), route=checker.route))
    assert 'no pg_hba.conf entry for host "127.0.0.2"' in outcome.detail
