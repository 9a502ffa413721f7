"""A real daemon that is stopped in its tracks, or has hardly any descriptors: its servers do not suffer by it."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.support.daemons import PATIENCE
from tests.support.processes import processes

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
TAKES = 0.15  # seconds that an answer takes: whenever the daemon is stopped, it is in the midst of some checks
SETTINGS = """
[healthd]
table = "memory"
state_dir = "{state}"
[service.web]
virtual = "192.168.7.110:80"
interval = "{interval}"
timeout = "{timeout}"
fall = 1
rise = 1
check = {check}
"""
SERVER = """
[[service.web.server]]
address = "127.1.{0}.{1}"
port = {2}
"""


@asynccontextmanager
async def daemon(
    folder: Path,
    check: str,
    servers: int,
    port: int,
    descriptors: int,
    pace: tuple[str, str] = ("500ms", "400ms"),
) -> AsyncIterator[Process]:
    """`healthd run` with this many servers, which are all the same listener on loopback.

    `pace` is the interval and the timeout.
    """
    (folder / "conf.d").mkdir()
    settings = SETTINGS.format(state=folder, check=check, interval=pace[0], timeout=pace[1])
    several = "".join(SERVER.format(number // 250, number % 250 + 1, port) for number in range(servers))
    (folder / "conf.d" / "web.toml").write_text(settings + several)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "healthd", "run", "-c", str(folder / "conf.d")),
        stderr=PIPE,
        limit=1 << 24,  # bytes of a line
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (min(20, descriptors), descriptors)),
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def lines(process: Process, wanted: str, count: int) -> list[str]:
    """What the daemon has told when it has told `count` times of what is wanted."""
    assert process.stderr is not None
    told: list[str] = []
    async with asyncio.timeout(PATIENCE):
        while count:
            told.append((await process.stderr.readline()).decode())
            assert told[-1], f"healthd has ended: {told}"
            count -= wanted in told[-1]
    return told


async def stopped(process: Process) -> list[str]:
    """All that it says until it has ended in good order."""
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(PATIENCE):
        _, rest = await process.communicate()
    assert process.returncode == 0
    return rest.decode().splitlines()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """An HTTP server on every address of loopback; a client that leaves in the middle is none of its business.

    It shares a busy machine with the daemon: the timeout of who asks for an answer leaves it two seconds.
    """

    answering: set[asyncio.Task[None] | None] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.add(asyncio.current_task())
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(TAKES)
            writer.write(OK)
            await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        answering.discard(asyncio.current_task())

    server = await asyncio.start_server(answer, "0.0.0.0", 0, backlog=4096)
    async with server:
        yield server.sockets[0].getsockname()[1]
    async with asyncio.timeout(PATIENCE):  # the daemon has ended, so nobody is waited for
        while answering:  # noqa: ASYNC110 - each takes itself out
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("kind", "pace", "pauses"),
    [
        ("tcp", ("500ms", "400ms"), (0.35, 1.0, 0.3, 0.38, 0.2, 0.7, 0.39) * 2),
        ("http", ("1s", "2s"), (1.7, 2.5, 1.85, 1.95)),
    ],
)
async def test_a_stopped_process_does_not_remove_a_server(
    tmp_path: Path, port: int, kind: str, pace: tuple[str, str], pauses: tuple[float, ...]
) -> None:
    """However it is stopped, in the middle of its checks or over their ends, with one failure deciding.

    Connections are accepted by the kernel, which nothing holds up.
    """
    async with daemon(tmp_path, f'{{ type = "{kind}" }}', 60, port, 1024, pace) as process:
        told = await lines(process, "unknown -> up", 60)
        for pause in pauses:
            process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(pause)
            process.send_signal(signal.SIGCONT)
            await asyncio.sleep(0.05)
        told += await stopped(process)
    assert [line for line in told if "-> down" in line] == []


SCRIPT = """{ type = "command", command = ["/bin/sh", "-c", "sleep 0.2; sleep 0.2; sleep 0.2"] }"""


def tree(top: int) -> list[int]:
    """A process and all its descendants."""
    alive = processes()
    found = [top]
    for number in found:
        found += [process.number for process in alive if process.parent == number]
    return found


def signal_all(numbers: list[int], number: signal.Signals) -> None:
    for one in numbers:
        with suppress(ProcessLookupError):
            os.kill(one, number)


async def test_a_frozen_machine_does_not_remove_a_server(tmp_path: Path) -> None:
    """Scripts are stopped with the process that waits for them, as a cgroup or a whole machine is, and have too little
    of their time left: their deadline strikes in time, and yet says nothing of the server.

    Left to themselves they have five times as long as they take.
    """
    async with daemon(tmp_path, SCRIPT, 8, 1, 1024, ("2s", "3s")) as process:
        told = await lines(process, "unknown -> up", 8)
        late = asyncio.create_task(lines(process, "LATE this process was", 1))
        rounds = 0
        while rounds < 2 or not late.done():
            rounds += 1
            frozen = tree(process.pid)
            signal_all(frozen, signal.SIGSTOP)
            await asyncio.sleep(2.7)
            signal_all(frozen, signal.SIGCONT)
            await asyncio.sleep(0.7)
        told += await late
        told += await stopped(process)
    assert [line for line in told if "-> down" in line] == []


async def test_64_descriptors_are_enough_for_1000_servers(tmp_path: Path, port: int) -> None:
    """The limit is raised as far as it goes; what is due beyond that waits, also for longer than the timeout, and does
    not fail. On a busy machine a check may come to nothing as its own process was held up, which is said.
    """
    async with daemon(tmp_path, '{ type = "http" }', 1000, port, 64, ("1s", "2s")) as process:
        told = await lines(process, "unknown -> up", 1000)
        told += await stopped(process)
    told = [line for line in told if "LATE this process was" not in line]
    assert [line for line in told if "-> down" in line or "could not" in line] == []
