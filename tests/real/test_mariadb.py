"""MariaDB, from Debian's mariadb-server: a writable one, and a read-only one whose certificate has expired."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from checkers.base import Code, Outcome, Status, Target
from checkers.mysql import Mysql
from tests.checkers.asking import ask, longer
from tests.checkers.certificates import Pki
from tests.checkers.leaks import nothing_left
from tests.real.mariadb import PASSWORD, MariaDb
from tests.real.programs import through_faults
from tests.real.unprivileged import reachable_folder
from tests.support.processes import until


class Servers(NamedTuple):
    primary: MariaDb
    replica: MariaDb


@pytest.fixture(scope="module")
def servers(pki: Pki) -> Iterator[Servers]:
    expired = pki.issued("127.0.0.1", expired=True)
    with reachable_folder() as folder, MariaDb(folder / "primary", pki.issued("127.0.0.1")) as primary:
        primary.fill()
        with MariaDb(folder / "replica", expired, "--read-only") as replica:
            replica.fill()
            yield Servers(primary, replica)


@pytest.fixture(scope="module")
def password_file(folder: Path) -> str:
    (folder / "password").write_text(PASSWORD + "\n")
    return str(folder / "password")


def at(server: MariaDb) -> Target:
    return Target(address="127.0.0.1", port=server.port)


async def asked(server: MariaDb, **options: Any) -> Outcome:
    async with nothing_left():
        return await ask(Mysql(**options), at(server))


@pytest.mark.parametrize("user", ["native", "ed25519"])
async def test_a_login_with_a_query(servers: Servers, password_file: str, user: str) -> None:
    """The password is proven by either method, and the query's first value looked at."""
    query = "SELECT visits FROM shop.pages WHERE visits > 40"
    outcome = await asked(servers.primary, user=user, password_file=password_file, query=query, expect="42")
    assert str(outcome) == f'L7OK logged in as "{user}", the query returned 1 row, the first value is "42"'


async def test_through_faults_logged_in(servers: Servers, password_file: str) -> None:
    """Refused when stopped, cut off at the deadline when held, and back again."""
    checker = Mysql(user="native", password_file=password_file, database="shop", query="SELECT 1", expect="1")
    async with nothing_left():
        outcomes = await through_faults(
            checker, at(servers.primary), servers.primary, refused=Code.L4CON, hung=Code.L7TOUT
        )
    assert outcomes[1].detail == "no result within 1 s while logging in"


async def test_through_faults_without_a_login(servers: Servers) -> None:
    """The handshake tells of a living server, and of nothing else."""
    outcomes = await through_faults(Mysql(), at(servers.primary), servers.primary, refused=Code.L4CON, hung=Code.L7TOUT)
    assert "MariaDB" in outcomes[0].detail
    assert "answers clients: 1045" in outcomes[0].detail


async def test_held_within_a_query(servers: Servers, password_file: str) -> None:
    """The deadline is one for everything, and nothing is left of the check behind it."""
    checker = Mysql(user="native", password_file=password_file, query="SELECT SLEEP(300)")

    def within(outcome: Outcome) -> bool:
        return outcome.detail.endswith(" s while running the query")

    async with nothing_left():
        outcome = await longer(lambda seconds: ask(checker, at(servers.primary), seconds), 0.7, within)
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7TOUT)
    assert within(outcome)


async def test_tls(servers: Servers, pki: Pki, password_file: str) -> None:
    """With a login and without."""
    query = "SELECT variable_value FROM information_schema.session_status WHERE variable_name = 'ssl_version'"
    options: dict[str, Any] = {"tls": True, "ca_file": pki.ca_file}
    outcome = await asked(servers.primary, **options)
    assert outcome.status is Status.PASS, outcome
    options |= {"user": "native", "password_file": password_file}
    outcome = await asked(servers.primary, query=query, expect="TLSv1.3", **options)
    assert outcome.status is Status.PASS, outcome


async def test_through_faults_over_tls(servers: Servers, pki: Pki, password_file: str) -> None:
    """Also where the library itself shakes hands, a held server leaves nothing behind."""
    checker = Mysql(user="native", password_file=password_file, tls=True, ca_file=pki.ca_file)
    async with nothing_left():
        await through_faults(checker, at(servers.primary), servers.primary, refused=Code.L4CON, hung=Code.L7TOUT)


async def test_an_expired_certificate(servers: Servers, pki: Pki, password_file: str) -> None:
    """It is told as such, with and without a login."""
    login: dict[str, Any] = {"user": "native", "password_file": password_file}
    for options in ({}, login):
        outcome = await asked(servers.replica, tls=True, ca_file=pki.ca_file, **options)
        assert str(outcome) == "L6RSP TLS handshake: certificate not accepted: certificate has expired"


async def test_wrong_credentials(servers: Servers, folder: Path) -> None:
    """The server's own words, and a code of their own."""
    (folder / "wrong").write_text("wrong")
    outcome = await asked(servers.primary, user="native", password_file=str(folder / "wrong"))
    refused = "Access denied for user 'native'@'127.0.0.1' (using password: YES)"
    assert str(outcome) == f'L7STS logging in: 1045 "{refused}"'


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"expect": "43"}, 'L7RSP the first value is "42"; expected "43"'),
        ({"min_rows": 3}, "L7RSP the query returned 2 rows; expected at least 3"),
        ({"query": "SELECT * FROM pages WHERE false"}, "L7RSP the query returned 0 rows; expected at least 1"),
        ({"query": "SELECT NULL", "expect": "1"}, 'L7RSP the first value is NULL; expected "1"'),
        (
            {"query": "SELECT nothing"},
            """L7STS running the query: 1054 "Unknown column 'nothing' in 'SELECT'\"""",
        ),
        ({"query": "SELECT REPEAT('x', 2000000)"}, "L7RSP the server sent more than 65536 bytes"),
        (
            {"database": "none"},
            """L7STS logging in: 1044 "Access denied for user 'open'@'127.0.0.1' to database 'none'\"""",
        ),
    ],
)
async def test_wrong_content(servers: Servers, options: dict[str, Any], said: str) -> None:
    """What was found and what was expected, apart from what the server refuses."""
    query = "SELECT visits FROM pages ORDER BY visits DESC"
    assert str(await asked(servers.primary, **{"user": "open", "database": "shop", "query": query, **options})) == said


async def test_roles(servers: Servers) -> None:
    """A server that is read-only is a replica, and either is wanted."""
    found = 'L7OK logged in as "open", is a {}'
    assert str(await asked(servers.primary, user="open", role="primary")) == found.format("primary")
    assert str(await asked(servers.replica, user="open", role="replica")) == found.format("replica")
    outcome = await asked(servers.replica, user="open", role="primary", query="SELECT 1")
    assert str(outcome) == "L7STS it is a replica (read_only is 1); expected a primary"
    outcome = await asked(servers.primary, user="open", role="replica")
    assert str(outcome) == "L7STS it is a primary (read_only is 0); expected a replica"


async def test_a_handshake_is_no_interrupted_connection(servers: Servers) -> None:
    """Who hangs up without asking to be let in is one, and after `max_connect_errors` of those the host is blocked."""
    interrupted = "SHOW GLOBAL STATUS LIKE 'Aborted_connects_preauth'"
    await servers.primary.interrupt()
    await servers.primary.rest()
    before = servers.primary.sql(interrupted)
    told = (servers.primary.folder / "output.log").read_text()
    for _ in range(3):
        assert (await ask(Mysql(), at(servers.primary))).status is Status.PASS
    await servers.primary.rest()
    assert servers.primary.sql(interrupted) == before
    lines = (servers.primary.folder / "output.log").read_text().removeprefix(told).splitlines()
    assert [line for line in lines if "Access denied for user 'healthd'" not in line] == []
    await servers.primary.interrupt()
    await until(lambda: servers.primary.sql(interrupted) != before)  # it counts as this test believes
