"""Debian's monitoring-plugins, unchanged, against Debian's nginx."""

from __future__ import annotations

import pytest

from checkers.base import Code, Status, Target
from checkers.command import Command
from tests.checkers.asking import ask
from tests.real.nginx import Ports
from tests.real.programs import Program, through_faults
from tests.support.ports import free_port

FOLDER = "/usr/lib/nagios/plugins"


def plugin(name: str, *arguments: str) -> Command:
    return Command(command=(f"{FOLDER}/{name}", *arguments), style="nagios")


def at(port: int) -> Target:
    return Target(address="127.0.0.1", port=port)


async def test_through_faults(server: tuple[Program, Ports]) -> None:
    """A plugin that waits longer than the check may is killed; one whose server is gone is critical."""
    program, ports = server
    checker = plugin("check_http", "-I", "{address}", "-p", "{port}", "-u", "/health")
    await through_faults(checker, at(ports.plain), program, refused=Code.PROCERR, hung=Code.PROCTOUT)


@pytest.mark.parametrize(
    ("state", "status", "code", "word"),
    [
        (0, Status.PASS, Code.PROCOK, "OK"),
        (1, Status.PASS, Code.PROCOK, "WARNING"),
        (2, Status.FAIL, Code.PROCERR, "CRITICAL"),
        (3, Status.UNKNOWN, Code.PROCUNK, "UNKNOWN"),
    ],
)
async def test_the_four_states(state: int, status: Status, code: str, word: str) -> None:
    """Each is what it says, and a warning is a pass that is degraded."""
    outcome = await ask(plugin("check_dummy", str(state), "said so"), at(80))
    assert (outcome.status, outcome.code, outcome.degraded) == (status, code, state == 1)
    assert outcome.detail == f'{word}, printed "{word}: said so"'


async def test_performance_data_is_kept(server: tuple[Program, Ports]) -> None:
    """Beside the text, by plugins of several kinds."""
    tcp = await ask(plugin("check_tcp", "-H", "{address}", "-p", "{port}"), at(server[1].plain))
    assert tcp.status is Status.PASS
    assert tcp.detail.startswith('OK, printed "TCP OK - ')
    assert ', performance data "time=' in tcp.detail
    http = await ask(plugin("check_http", "-I", "{address}", "-p", "{port}", "-u", "/health"), at(server[1].plain))
    assert http.detail.startswith('OK, printed "HTTP OK: HTTP/1.1 200 OK - ')
    assert ', performance data "time=' in http.detail


async def test_a_slow_answer_is_degraded(server: tuple[Program, Ports]) -> None:
    """The thresholds of a plugin are its own: over the first it warns."""
    checker = plugin("check_http", "-I", "{address}", "-p", "{port}", "-u", "/health", "-w", "0", "-c", "10")
    outcome = await ask(checker, at(server[1].plain))
    assert (outcome.status, outcome.degraded) == (Status.PASS, True)
    assert outcome.detail.startswith('WARNING, printed "HTTP WARNING: ')


@pytest.mark.parametrize(
    ("checker", "detail"),
    [
        (plugin("check_tcp", "-H", "{address}", "-p", "{port}"), "CRITICAL, printed "),
        (plugin("check_ssh", "-p", "{port}", "{address}"), "CRITICAL, printed "),
        (plugin("check_smtp", "-H", "{address}", "-p", "{port}"), "CRITICAL, printed "),
    ],
    ids=["tcp", "ssh", "smtp"],
)
async def test_a_server_that_is_gone_is_critical(checker: Command, detail: str) -> None:
    """Whatever it should have spoken; the text says why."""
    outcome = await ask(checker, at(free_port()))
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.PROCERR)
    assert outcome.detail.startswith(detail)
    assert "refused" in outcome.detail


async def test_wrong_arguments_are_unknown() -> None:
    """A plugin that does not understand its arguments says nothing of the server."""
    outcome = await ask(plugin("check_tcp", "-H", "{address}", "--no-such-option"), at(80))
    assert (outcome.status, outcome.code) == (Status.UNKNOWN, Code.PROCUNK)


async def test_an_expired_certificate(server: tuple[Program, Ports]) -> None:
    """Is critical, and told."""
    checker = plugin("check_http", "-I", "{address}", "-p", "{port}", "--ssl", "-C", "14,7")
    outcome = await ask(checker, at(server[1].expired))
    assert outcome.status is Status.FAIL
    assert "expired" in outcome.detail
