"""FreeRADIUS, from Debian's freeradius, with a configuration of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checkers.base import Code, Outcome, Target
from checkers.radius import Radius
from tests.checkers.asking import ENOUGH, ask
from tests.real.programs import Program, through_faults
from tests.real.unprivileged import give, reachable_folder, unprivileged
from tests.support.ports import free_port

PASSWORD, SECRET = "open sesame", "between the two of us"

CONFIGURATION = """\
prefix = /usr
libdir = /usr/lib/freeradius
logdir = {folder}
raddbdir = {folder}
run_dir = {folder}
pidfile = {folder}/ready
log {{
    destination = stdout
}}
security {{
    reject_delay = 0
}}
thread pool {{
    start_servers = 1
    max_servers = 2
    min_spare_servers = 1
    max_spare_servers = 2
}}
client loopback {{
    ipaddr = 127.0.0.1
    secret = "{secret}"
    require_message_authenticator = yes
}}
modules {{
    pap {{
    }}
    files {{
        filename = {folder}/users
    }}
}}
server default {{
    listen {{
        type = auth
        ipaddr = 127.0.0.1
        port = {port}
    }}
    authorize {{
        files
        pap
    }}
    authenticate {{
        pap
    }}
}}
"""

USERS = f"""\
probe Cleartext-Password := "{PASSWORD}"
    Reply-Message = "welcome"
"""


@pytest.fixture(scope="module")
def freeradius() -> Iterator[Program]:
    with reachable_folder() as folder:
        port = free_port()
        for name, text in {"radiusd.conf": CONFIGURATION, "users": USERS}.items():
            content = text.format(folder=folder, port=port, secret=SECRET) if text is CONFIGURATION else text
            (folder / name).write_text(content)
            give(folder / name, 0o600)
        command = unprivileged(["/usr/sbin/freeradius", "-f", "-P", "-d", folder])
        with Program(command, folder, port=port, udp=[port], ready=folder / "ready") as program:
            yield program


@pytest.fixture(scope="module")
def files(folder: Path) -> dict[str, str]:
    for name, text in {"password": PASSWORD, "secret": SECRET, "wrong": "wrong"}.items():
        (folder / name).write_text(text + "\n")
    return {name: str(folder / name) for name in ("password", "secret", "wrong")}


async def asked(server: Program, seconds: float = ENOUGH, **options: Any) -> Outcome:
    return await ask(Radius(user="probe", **options), Target(address="127.0.0.1", port=server.port), seconds)


async def test_through_faults(freeradius: Program, files: dict[str, str]) -> None:
    """Who is not there refuses, who hangs is cut off, and back again."""
    checker = Radius(user="probe", password_file=files["password"], secret_file=files["secret"])
    target = Target(address="127.0.0.1", port=freeradius.port)
    outcomes = await through_faults(checker, target, freeradius, refused=Code.L4CON, hung=Code.L7TOUT)
    assert str(outcomes[0]) == 'L7OK Access-Accept for "probe", "welcome"'


async def test_wrong_credentials(freeradius: Program, files: dict[str, str]) -> None:
    """A wrong password is rejected, which may be what is expected."""
    options: dict[str, Any] = {"password_file": files["wrong"], "secret_file": files["secret"]}
    outcome = await asked(freeradius, **options)
    assert str(outcome) == 'L7STS Access-Reject for "probe", "welcome"; expected Access-Accept'
    assert str(await asked(freeradius, **options, expect="reject")) == 'L7OK Access-Reject for "probe", "welcome"'


async def test_one_who_should_be_rejected_is_not(freeradius: Program, files: dict[str, str]) -> None:
    """A server that accepts everybody is as wrong as one that accepts nobody."""
    options: dict[str, Any] = {"password_file": files["password"], "secret_file": files["secret"]}
    outcome = await asked(freeradius, **options, expect="reject")
    assert str(outcome) == 'L7STS Access-Accept for "probe", "welcome"; expected Access-Reject'


async def test_a_wrong_secret(freeradius: Program, files: dict[str, str]) -> None:
    """The server does not answer one whose Message-Authenticator is wrong, and the outcome says what to look at."""
    outcome = await asked(freeradius, 0.7, password_file=files["password"], secret_file=files["wrong"])
    assert outcome.code == Code.L7TOUT
    assert outcome.detail.endswith("a server that has another secret gives none")
