"""HAProxy, from Debian's haproxy, as a judge: its checks and ours agree on the same servers through the same faults."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from checkers.base import Checker, Status, Target
from checkers.http import Http
from checkers.ldap import Ldap
from checkers.mysql import Mysql
from checkers.postgres import Postgres as PostgresCheck
from checkers.redis import Redis
from checkers.smtp import Smtp
from checkers.tcp import Tcp
from tests.checkers.asking import ENOUGH, ask_once
from tests.checkers.certificates import Pki
from tests.real.haproxy import Haproxy
from tests.real.mariadb import MariaDb
from tests.real.nginx import nginx
from tests.real.postfix import Postfix
from tests.real.postgres import Postgres
from tests.real.programs import Program
from tests.real.slapd import Slapd
from tests.real.unprivileged import reachable_folder
from tests.support.ports import free_port

BACKEND = """\
backend {name}
    {option}
    server one 127.0.0.1:{port} check inter 100ms rise 1 fall 1
"""


@dataclass(frozen=True)
class Case:
    """`option` has HAProxy ask what `checker` asks."""

    port: int
    checker: Checker
    option: str = ""

    async def judged(self, expected: str) -> str:
        """UP or DOWN. Who is to be up has time to answer; who is held would need for ever."""
        target = Target(address="127.0.0.1", port=self.port)
        outcome = await ask_once(self.checker, target, ENOUGH if expected == "UP" else 1)
        return {Status.PASS: "UP", Status.FAIL: "DOWN"}.get(outcome.status, str(outcome))


@dataclass(frozen=True)
class Bench:
    cases: dict[str, Case]
    programs: list[Program]
    haproxy: Haproxy

    async def agree(self, down: set[str]) -> None:
        """HAProxy comes to see exactly these down, and so do we."""
        expected = {name: "DOWN" if name in down else "UP" for name in self.cases}
        for name, status in expected.items():
            await self.haproxy.until(f"{name}/one", lambda opinion: opinion.status == status)  # noqa: B023 - awaited here
        ours = await asyncio.gather(*(case.judged(expected[name]) for name, case in self.cases.items()))
        assert dict(zip(self.cases, ours, strict=True)) == expected


@pytest.fixture(scope="module")
def bench(folder: Path, pki: Pki) -> Iterator[Bench]:
    if os.geteuid() != 0:
        pytest.skip("postfix's master starts as root alone")
    certificate = pki.issued("127.0.0.1")
    with ExitStack() as stack:
        shared = stack.enter_context(reachable_folder())
        port = free_port()
        command: list[str | Path] = [
            "redis-server",
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            shared,
        ]
        redis = Program(command, folder, port=port)
        web, ports = nginx(folder, certificate, certificate)
        maria, postgres = MariaDb(shared / "maria", certificate), Postgres(shared / "postgres", certificate)
        slapd, postfix = Slapd(shared / "slapd", certificate), Postfix(shared / "postfix", free_port(), pki)
        programs = [redis, web, maria, postgres, slapd, postfix]
        for program in programs:
            stack.enter_context(program)
        maria.fill()
        postgres.fill()
        cases = {
            "tcp": Case(port, Tcp()),
            "redis": Case(port, Redis(), "option redis-check"),
            "http": Case(ports.plain, Http(path="/health"), "option httpchk GET /health"),
            "http503": Case(ports.plain, Http(path="/status/503"), "option httpchk GET /status/503"),
            "mysql": Case(maria.port, Mysql(), "option mysql-check user open post-41"),
            "pgsql": Case(postgres.port, PostgresCheck(), "option pgsql-check user trusted"),
            "ldap": Case(slapd.port, Ldap(), "option ldap-check"),
            "smtp": Case(postfix.port, Smtp(), "option smtpchk EHLO localhost"),
        }
        sections = [BACKEND.format(name=name, option=case.option, port=case.port) for name, case in cases.items()]
        yield Bench(cases, programs, stack.enter_context(Haproxy(folder, "".join(sections))))


async def test_through_faults(bench: Bench) -> None:
    """Healthy, held by SIGSTOP, recovered, stopped, and started again: no check of ours sees it otherwise."""
    wrong, all_of_them = {"http503"}, set(bench.cases)
    await bench.agree(wrong)
    for program in bench.programs:
        program.pause()
    await bench.agree(all_of_them - {"tcp"})  # the kernel still accepts connections
    for program in bench.programs:
        program.resume()
    await bench.agree(wrong)
    for program in bench.programs:
        program.stop()
    await bench.agree(all_of_them)
    for program in bench.programs:
        program.start()
    await bench.agree(wrong)
