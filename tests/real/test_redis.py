"""Redis, from Debian's redis-server: a master and a replica of it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from checkers.base import Code, Outcome, Status, Target
from checkers.dialog import Dialog
from checkers.redis import Redis
from tests.checkers.asking import ask, ask_once
from tests.checkers.certificates import Pki
from tests.real.programs import PATIENCE, Program, through_faults
from tests.support.ports import free_port

PASSWORD = "correct-horse"
AT_ONCE = ("--repl-diskless-sync-delay", "0")  # a master waits 5 s for more replicas to come


def started(folder: Path, port: int, *options: str) -> Program:
    folder.mkdir()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder), *options]
    return Program(command, folder, port=port, says="Ready to accept connections")


@pytest.fixture(scope="module")
def master(folder: Path) -> Iterator[Program]:
    with started(folder / "master", free_port(), "--repl-ping-replica-period", "1", *AT_ONCE) as program:
        yield program


@pytest.fixture(scope="module")
def replica(folder: Path, master: Program) -> Iterator[Program]:
    with started(folder / "replica", free_port(), "--replicaof", f"127.0.0.1 {master.port}") as program:
        yield program


@pytest.fixture(scope="module")
def guarded(folder: Path) -> Iterator[Program]:
    """One with a password of its own, and a user besides the default one."""
    users = ["--requirepass", PASSWORD, "--user", "probe", "on", f">{PASSWORD}", "+ping", "+info"]
    with started(folder / "guarded", free_port(), *users) as program:
        yield program


def at(program: Program) -> Target:
    return Target(address="127.0.0.1", port=program.port)


async def until(checker: Redis, program: Program, good: Callable[[Outcome], bool]) -> Outcome:
    """The first outcome that is so: what servers agree upon among themselves takes its time."""
    give_up = time.monotonic() + PATIENCE
    while not good(outcome := await ask_once(checker, at(program))):
        assert time.monotonic() < give_up, outcome
    return outcome


def passes(outcome: Outcome) -> bool:
    return outcome.status is Status.PASS


async def test_through_faults(master: Program) -> None:
    """PING is answered with PONG; who has stopped refuses, and who hangs is cut off."""
    outcomes = await through_faults(Redis(), at(master), master, refused=Code.L4CON, hung=Code.L7TOUT)
    assert str(outcomes[0]) == 'L7OK answered PING with "PONG"'
    assert outcomes[1].detail == "no result within 1 s while waiting for the answer to PING"


async def test_dialog(master: Program) -> None:
    """The general kind can ask it too."""
    assert passes(await ask(Dialog(send="PING\r\n", expect="+PONG"), at(master)))


async def test_login(guarded: Program, tmp_path: Path) -> None:
    """By password alone or with a user; none, a wrong one and a wrong user are three different texts."""
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text(f"{PASSWORD}\n")
    wrong.write_text("wrong\n")
    for checker in (
        Redis(password_file=str(right)),
        Redis(user="probe", password_file=str(right), role="master"),
    ):
        outcome = await ask(checker, at(guarded))
        assert passes(outcome), outcome
    for checker, text in (
        (Redis(), 'PING: answered "NOAUTH Authentication required."'),
        (
            Redis(password_file=str(wrong)),
            'AUTH: answered "WRONGPASS invalid username-password pair or user is disabled."',
        ),
        (
            Redis(user="nobody", password_file=str(right)),
            'AUTH: answered "WRONGPASS invalid username-password pair or user is disabled."',
        ),
    ):
        outcome = await ask(checker, at(guarded))
        assert (outcome.status, str(outcome)) == (Status.FAIL, f"L7STS {text}")


async def test_roles(master: Program, replica: Program) -> None:
    """Each is what it is, and the other role fails by name."""
    in_touch = await until(Redis(role="replica"), replica, passes)
    master_of_it = f'its master "127.0.0.1" port {master.port}'
    assert in_touch.detail.endswith(f" s ago in touch with {master_of_it}")
    assert (await until(Redis(role="master"), master, passes)).detail == "it is a master with 1 replica"
    for role, program, text in (
        ("master", replica, "it is a replica; expected a master"),
        ("replica", master, "it is a master; expected a replica"),
    ):
        outcome = await ask(Redis(role=role), at(program))  # type: ignore[arg-type]  # one of the two
        assert (outcome.status, str(outcome)) == (Status.FAIL, f"L7RSP {text}")


async def test_replication(master: Program, replica: Program) -> None:
    """A replica that has not heard of its master for too long fails, and one whose link is down; both recover."""
    checker = Redis(role="replica", max_lag="3s")
    await until(checker, replica, passes)
    master.pause()
    try:
        late = await until(checker, replica, lambda outcome: not passes(outcome))
    finally:
        master.resume()
    assert late.code == Code.L7RSP
    assert late.detail.endswith(" s ago, limit 3s"), late
    await until(checker, replica, passes)
    master.stop()
    down = await until(Redis(role="replica"), replica, lambda outcome: not passes(outcome))
    assert down.code == Code.L7RSP
    assert f'it is a replica whose link to its master "127.0.0.1" port {master.port} is down' in down.detail
    assert passes(await ask(Redis(), at(replica)))
    master.start()
    await until(checker, replica, passes)


@pytest.mark.parametrize(("expired", "code"), [(False, Code.L7OK), (True, Code.L6RSP)])
async def test_tls(folder: Path, pki: Pki, *, expired: bool, code: Code) -> None:
    """By TLS the certificate counts, and one that has expired is told by code and text."""
    port, file = free_port(), pki.issued("127.0.0.1", expired=expired)
    made = folder / ("expired" if expired else "tls")
    made.mkdir()
    options = ["--port", "0", "--tls-port", port, "--tls-auth-clients", "no", "--save", "", "--dir", made]
    certificate = ["--tls-cert-file", file, "--tls-key-file", file, "--tls-ca-cert-file", pki.ca_file]
    with Program(["redis-server", *map(str, options), *map(str, certificate)], made, port=port) as program:
        outcome = await ask(Redis(tls=True, ca_file=pki.ca_file), at(program))
    assert outcome.code == code, outcome
    assert ("certificate has expired" in outcome.detail) is expired
