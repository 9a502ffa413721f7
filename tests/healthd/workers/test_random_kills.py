"""A daemon whose workers are killed and stopped at random, with real servers on loopback."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from healthd.assembly import Assembly
from healthd.config.values import Settings
from healthd.daemon import Daemon
from healthd.events import WorkerLost
from healthd.scheduler import Scheduler
from healthd.snapshot import CheckView
from healthd.workers.pool import WorkerPool
from healthd.workers.worker import Patience
from tests.support.daemons import Site
from tests.support.processes import children, running, until

SECONDS = float(os.environ.get("HEALTHD_TEST_KILLING_SECONDS", "10"))
"""How long it goes on. A whole minute: HEALTHD_TEST_KILLING_SECONDS=60."""
WELL, DEAD = 20, 5  # servers of each service

# The servers share this process, and a busy machine, with the daemon: the timeout is for them.
SERVICE = """
[service.{name}]
virtual = "{virtual}"
interval = "100ms"
fast_interval = "50ms"
timeout = "10s"
fall = 1
rise = 1
check = {{ type = "{kind}" }}
"""
SERVER = """
[[service.{name}.server]]
address = "127.0.0.{number}"
port = {port}
"""


class ImpatientParts(Assembly):
    """Finds out in a second that a worker hangs, and replaces the lost without much ado."""

    def _engine(self, settings: Settings) -> Scheduler | WorkerPool:
        patience = Patience(beat=0.2, starting_beats=150, pause=0.02, longest_pause=0.1)
        return WorkerPool(self.clock, self.controller, self.bus.publish, settings=settings, patience=patience)


class Impatient(Daemon):
    assembly = ImpatientParts


class Greeter:
    """The well servers, all in one. It counts who comes."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked += 1
        with suppress(ConnectionError):
            if await reader.read(1000):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
            writer.close()

    async def asked_again(self, times: int) -> None:
        goal = self.asked + times
        await until(lambda: self.asked >= goal)


def configure(site: Site, port: int) -> None:
    text = ""
    for name, virtual, kind in (("web", "192.168.7.110:80", "http"), ("mail", "192.168.7.112:25", "tcp")):
        text += SERVICE.format(name=name, virtual=virtual, kind=kind)
        for number in range(1, WELL + DEAD + 1):
            text += SERVER.format(name=name, number=number, port=port if number <= WELL else 9)
    site.write("web.toml", text)
    site.write("workers.toml", "[healthd]\nworkers = 3\n")


async def mistreat(chance: random.Random, greeter: Greeter) -> None:
    """Kills a worker, or stops one: for good, or for as long as others ask a few questions."""
    alive = children()
    if not alive:
        return  # the last one has gone, too, and none has been started again so far
    victim = chance.choice(alive)
    number = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGSTOP])
    with suppress(ProcessLookupError):
        os.kill(victim, number)
        if number is signal.SIGSTOP and chance.random() < 0.5:
            await greeter.asked_again(chance.randint(1, 20))
            os.kill(victim, signal.SIGCONT)


def lost(site: Site) -> set[str]:
    """The workers that have been lost at least once."""
    return {event.worker for event in site.events if isinstance(event, WorkerLost)}


def checks(daemon: Daemon) -> list[CheckView]:
    services = daemon._parts.controller.snapshot.services
    return [check for service in services for server in service.servers for check in server.checks]


@pytest.mark.timeout(300 + SECONDS)
async def test_workers_are_lost_at_random_and_no_server_changes_its_state(tmp_path: Path) -> None:
    """With one failure deciding: what is well stays well, what is dead stays dead, and all go on being checked.

    All that is told is that workers were lost. Their checks are shown as unknown meanwhile.
    """
    greeter, chance, site = Greeter(), random.Random(20261122), Site(tmp_path)
    server = await asyncio.start_server(greeter, "0.0.0.0", 0, backlog=1000)
    configure(site, server.sockets[0].getsockname()[1])
    site.daemon = Impatient
    async with server, site.running() as daemon:
        await site.until(lambda: site.table.count("-w 1") == 2 * WELL and site.table.count("-w 0") == 2 * DEAD)
        table = site.table
        await greeter.asked_again(10 * WELL)
        site.events.clear()
        end = asyncio.get_running_loop().time() + SECONDS
        while asyncio.get_running_loop().time() < end or len(lost(site)) < 3:
            await greeter.asked_again(chance.randint(1, 20 * WELL))
            await mistreat(chance, greeter)
        await until(lambda: len([number for number in children() if number in running()]) == 3)
        await greeter.asked_again(20 * WELL)
        assert {event.kind for event in site.events} == {"worker_lost"}
        assert all(check.unknowns for check in checks(daemon))
        assert site.table == table
    assert children() == []
