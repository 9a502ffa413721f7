"""How late checks start while the control interface is asked and attacked, as the servers see it.

Each row is a daemon of its own with so many checks a second, and a window in which something is done to its sockets.
The bar is that no start is later than 20 ms. The figures are upper bounds: the servers' own delay is in them. Those who
attack have the lowest priority: on a director their CPU time would be another machine's.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks import page, targets
from benchmarks.kinds import KINDS
from benchmarks.lateness import Punctuality, judged
from benchmarks.processes import running
from benchmarks.subjects import Subject

TOKEN = "benchmark-benchmark-benchmark"
CONTROL = """
[control]
socket = "{folder}/control.sock"
listen = ["127.0.0.1:{port}"]
tokens_file = "{folder}/tokens"
"""
ASKED = b"GET %b HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + TOKEN.encode() + b"\r\n"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the daemon listens."""

    socket: Path
    port: int

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """One way or the other."""
        if random.random() < 0.5:
            return await asyncio.open_unix_connection(self.socket)
        return await asyncio.open_connection("127.0.0.1", self.port)


async def idle(place: Place) -> None:
    """A thousand connections that say nothing; one that is closed is opened again."""
    await asyncio.gather(*(_hold(place, b"", 60.0) for _ in range(1000)))


async def loris(place: Place) -> None:
    """Two hundred requests whose heads never end, a byte at a time."""
    endless = ASKED % b"/api/v1/status" + b"X-Slow: " + b"y" * 9999
    await asyncio.gather(*(_hold(place, endless, 0.1) for _ in range(200)))


async def _hold(place: Place, sent: bytes, pause: float) -> None:
    await asyncio.sleep(random.random() * 2)
    while True:
        with suppress(OSError):
            reader, writer = await place.connect()
            end = asyncio.create_task(reader.read())
            for byte in sent:
                if end.done():
                    break
                writer.write(bytes([byte]))
                await asyncio.sleep(pause)
            await end
            writer.close()
        await asyncio.sleep(1)


async def watchers(place: Place) -> None:
    """Ten who ask for the whole state once a second, and thirty who follow events."""
    await asyncio.gather(*(_ask(place) for _ in range(10)), *(_follow(place) for _ in range(30)))


async def _ask(place: Place) -> None:
    while True:
        with suppress(OSError):
            reader, writer = await place.connect()
            writer.write(ASKED % b"/api/v1/status" + b"Connection: close\r\n\r\n")
            await reader.read()
            writer.close()
        await asyncio.sleep(1)


async def _follow(place: Place) -> None:
    while True:
        with suppress(OSError):
            reader, writer = await place.connect()
            writer.write(ASKED % b"/api/v1/events" + b"\r\n")
            await reader.read()
            writer.close()
        await asyncio.sleep(1)


def fuzzing(place: Place) -> tuple[str, ...]:
    """The fuzzer, over and over, without what starts checks anew or out of turn: by this measure they would be late."""
    left_out = " ".join(f"--exclude-path /api/v1/{name}" for name in LEFT_OUT)
    program = Path(sys.executable).with_name("schemathesis")
    command = (
        f"{program} run http://127.0.0.1:{place.port}/openapi.json --header 'Authorization: Bearer {TOKEN}' "
        f"--phases coverage,fuzzing --continue-on-failure --request-timeout 20 {left_out} >/dev/null 2>&1"
    )
    lowest = f"renice -n {LOWEST} -p $$ >/dev/null"
    return ("sh", "-c", f"{lowest}; cd {place.socket.parent} && while :; do {command}; done")


Attack = Callable[[Place], Awaitable[None]]
ATTACKS: dict[str, tuple[Attack, ...]] = {
    "nothing": (),
    "idle connections": (idle,),
    "slow loris": (loris,),
    "watchers": (watchers,),
    "schemathesis": (),
    "all of it": (idle, loris, watchers),
}
LEFT_OUT = ("events", "reload", "check-now", "maintenance", "ready")
FUZZED = ("schemathesis", "all of it")
LOWEST = 19
"""The priority of attackers, as of nice(1)."""


def main() -> None:
    parser = page.parser(__doc__)
    parser.add_argument("--servers", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--attacks", nargs="+", choices=ATTACKS, default=list(ATTACKS))
    asked = parser.parse_args()
    columns = ("meanwhile", "checks", "p50 ms", "p99 ms", "p99.9 ms", "most ms", "later than 20 ms", "lost")
    results = page.Results("control", columns)
    for name in asked.attacks:
        found = observed(name, asked.servers, asked.seconds)
        late = [f"{found.percentile(part):.1f}" for part in (0.5, 0.99, 0.999, 1)]
        beyond = sum(each > 20 for each in found.late)
        results.add(name, f"{len(found.late):,}", *late, str(beyond), str(found.lost))
    results.finish(write=asked.write)


def observed(attack: str, servers: int, seconds: int) -> Punctuality:
    """What the servers see while it goes on."""
    with tempfile.TemporaryDirectory(prefix="bench") as name, ExitStack() as stack:
        folder = Path(name)
        target = stack.enter_context(targets.logging(folder, "http"))
        assert target.log, "this target keeps a log"
        place = Place(folder / "control.sock", targets.free_ports(1)[0])
        command = Subject("healthd").command(KINDS["http"], servers, target.port, folder, 1)
        (folder / "tokens").write_text(f"bench operate {TOKEN}\n")
        with Path(command.words[-1]).open("a") as config:
            config.write(CONTROL.format(folder=folder, port=place.port))
        program = stack.enter_context(running(command.words, folder / "log", command.environment))
        time.sleep(6)
        if attack in FUZZED:
            stack.enter_context(running(fuzzing(place), folder / "fuzzing", {}))
        with _going_on(ATTACKS[attack], place):
            time.sleep(3)
            begin = time.monotonic_ns()
            time.sleep(seconds)
            end = time.monotonic_ns()
        time.sleep(0.5)
        if program.ended:
            raise ChildProcessError(f"ended by itself: {program.log.read_text()[-2000:]}")
        seen = targets.arrivals(target.log)
    return judged(seen.values(), servers, 10**9, begin, end)


@contextmanager
def _going_on(attacks: tuple[Attack, ...], place: Place) -> Iterator[None]:
    """In a thread; what they are about is given up at the end."""
    loop = asyncio.new_event_loop()

    async def everything() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*(attack(place) for attack in attacks))
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def attack() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST)  # of this thread alone, on Linux
        loop.run_until_complete(task)

    task = loop.create_task(everything())
    thread = threading.Thread(target=attack)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        loop.close()


if __name__ == "__main__":
    main()
