"""The monitors of Debian's mon, unchanged, against Debian's nginx."""

from __future__ import annotations

import pytest

from checkers.base import Code, Status, Target
from checkers.command import Command
from tests.checkers.asking import ask
from tests.real.nginx import Ports
from tests.real.programs import Program, through_faults
from tests.support.ports import free_port

FOLDER = "/usr/lib/mon/mon.d"


def monitor(name: str, *arguments: str) -> Command:
    return Command(command=(f"{FOLDER}/{name}.monitor", *arguments), style="mon")


def at(port: int) -> Target:
    return Target(address="127.0.0.1", port=port, service="web")


async def test_through_faults(server: tuple[Program, Ports]) -> None:
    """A monitor that hangs on a server that hangs is killed; one whose server is gone says so in its summary."""
    program, ports = server
    checker = monitor("http", "-p", "{port}", "-u", "/health")
    await through_faults(checker, at(ports.plain), program, refused=Code.PROCERR, hung=Code.PROCTOUT)


@pytest.mark.parametrize(
    "checker",
    [
        monitor("tcp", "-p", "{port}"),
        monitor("http", "-p", "{port}", "-u", "/health", "-m", "queue"),
        monitor("fping"),
        monitor("ping"),
    ],
    ids=lambda checker: checker.command[0].rpartition("/")[2],
)
async def test_a_healthy_server_passes(checker: Command, server: tuple[Program, Ports]) -> None:
    """By monitors in Perl and in shell, with the address as their last argument."""
    outcome = await ask(checker, at(server[1].plain))
    assert (outcome.status, outcome.code) == (Status.PASS, Code.PROCOK), outcome


@pytest.mark.parametrize(
    ("checker", "detail"),
    [
        (
            monitor("tcp", "-p", "{port}"),
            'exit status 1, printed "127.0.0.1", then "127.0.0.1 could not connect: Connection refused"',
        ),
        (
            monitor("http", "-p", "{port}"),
            'exit status 1, printed "127.0.0.1", then "HOST 127.0.0.1: HTTP response code failure"',
        ),
        # A newer Perl says why after this.
        (monitor("pop3", "-p", "{port}"), 'exit status 1, printed "127.0.0.1"'),
        (
            monitor("ftp", "-p", "{port}"),
            'exit status 1, printed "127.0.0.1", then "127.0.0.1 failed with error connect: Connection refused"',
        ),
    ],
    ids=lambda value: value.command[0].rpartition("/")[2] if isinstance(value, Command) else "",
)
async def test_the_summary_is_the_evidence(checker: Command, detail: str) -> None:
    """A summary is the hosts that failed; the first line after it mostly says why."""
    outcome = await ask(checker, at(free_port()))
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.PROCERR)
    assert outcome.detail.startswith(detail)


async def test_the_wrong_answer_fails(server: tuple[Program, Ports]) -> None:
    """An error of the server, and a page without the text that should be in it."""
    for arguments in (("-u", "/status/503"), ("-u", "/health", "-m", "all is well")):
        outcome = await ask(monitor("http", "-p", "{port}", *arguments), at(server[1].plain))
        assert (outcome.status, outcome.code) == (Status.FAIL, Code.PROCERR)
        assert outcome.detail.startswith('exit status 1, printed "127.0.0.1", then "HOST 127.0.0.1: ')
