"""A daemon whose workers are killed and stopped at random, with real servers on loopback."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from healthd.config.values import Settings
from healthd.daemon import Daemon
from healthd.scheduler import Scheduler
from healthd.workers.pool import WorkerPool
from healthd.workers.worker import Patience
from tests.support.daemons import Site
from tests.support.processes import children, running, until

KILLS = 50
WELL, DEAD = 20, 5  # servers of each service

SERVICE = """
[service.{name}]
virtual = "{virtual}"
interval = "100ms"
fast_interval = "50ms"
timeout = "3s"
fall = 1
rise = 1
check = {{ type = "{kind}" }}
"""
SERVER = """
[[service.{name}.server]]
address = "127.0.0.{number}"
port = {port}
"""
NEWS = {
    *("server_admitted", "server_down", "server_up"),
    *("service_lost", "service_recovered", "table_edited", "table_drift"),
}


class Impatient(Daemon):
    """Finds out in a second that a worker hangs, and replaces the lost without much ado."""

    def _engine(self, settings: Settings) -> Scheduler | WorkerPool:
        patience = Patience(beat=0.2, starting_beats=150, pause=0.02, longest_pause=0.1)
        record = self._controller.record
        return WorkerPool(
            self._clock, record, settings=settings, verdicts=lambda: self._controller.verdicts, patience=patience
        )


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
    victim = chance.choice(children())
    number = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGSTOP])
    with suppress(ProcessLookupError):
        os.kill(victim, number)
        if number is signal.SIGSTOP and chance.random() < 0.5:
            await greeter.asked_again(chance.randint(1, 20))
            os.kill(victim, signal.SIGCONT)


@pytest.mark.timeout(300)
async def test_workers_are_lost_at_random_and_no_server_changes_its_state(tmp_path: Path) -> None:
    """With one failure deciding: what is well stays well, what is dead stays dead, and all go on being checked."""
    greeter, chance, site = Greeter(), random.Random(20261122), Site(tmp_path)
    server = await asyncio.start_server(greeter, "0.0.0.0", 0, backlog=1000)
    configure(site, server.sockets[0].getsockname()[1])
    site.daemon = Impatient
    async with server, site.running():
        await site.until(lambda: site.table.count("-w 1") == 2 * WELL and site.table.count("-w 0") == 2 * DEAD)
        table = site.table
        await greeter.asked_again(10 * WELL)
        site.events.clear()
        for _ in range(KILLS):
            await greeter.asked_again(chance.randint(1, 20 * WELL))
            await mistreat(chance, greeter)
        await until(lambda: len([number for number in children() if number in running()]) == 3)
        await greeter.asked_again(20 * WELL)
        unknown = {str(event.record()["server"]) for event in site.events if event.kind == "check_unknown"}
        assert len(unknown) == WELL + DEAD
        assert [event for event in site.events if event.kind in NEWS] == []
        assert site.table == table
    assert children() == []
