"""A page of metrics for many servers: CPU for one reading, and the longest time that nothing else had its turn."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator

from benchmarks import page
from benchmarks.targets import address
from checkers.always import Always
from checkers.base import Outcome, Status
from healthd.clock import SystemClock
from healthd.config.values import AllDown, CheckConfig, Config, OnFailure, ServerConfig, ServiceConfig
from healthd.controller import Controller
from healthd.events import Bus
from healthd.metrics.daemon import EventCounter, Inside
from healthd.metrics.page import Metrics
from healthd.model import (
    Connections,
    Counts,
    Destination,
    Endpoint,
    Protocol,
    ServiceKey,
    ServiceOptions,
    Table,
    Threshold,
)
from healthd.plan import make
from healthd.remembered import Memory
from healthd.schedulerview import SchedulerView

COLUMNS = ("servers", "page MiB", "CPU s", "longest turn ms")


def main() -> None:
    parser = page.parser(__doc__)
    parser.add_argument("--servers", nargs="+", type=int, default=[1_000, 10_000])
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    results = page.Results("metrics", COLUMNS)
    for servers in asked.servers:
        metrics = _metrics(servers)
        found = [asyncio.run(_read(metrics)) for _ in range(asked.rounds)]
        size, cpu, turn = (statistics.median(each) for each in zip(*found, strict=True))
        results.add(f"{servers:,}", f"{size / 2**20:.1f}", f"{cpu:.2f}", f"{turn * 1000:.1f}")
    results.finish(write=asked.write)


async def _read(metrics: Metrics) -> tuple[float, float, float]:
    """Bytes, CPU seconds, and the longest turn in seconds of CPU, which no other process lengthens."""
    size, began = 0, time.process_time()
    last, longest = began, 0.0
    async for piece in _with_turns(metrics.pieces()):
        now = time.process_time()
        longest, last = max(longest, now - last), now
        size += len(piece)
    return size, time.process_time() - began, longest


async def _with_turns(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, and nothing at every turn that others have in between."""
    turns: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def read() -> None:
        async for piece in pieces:
            turns.put_nowait(piece)
        turns.put_nowait(None)

    task = asyncio.create_task(read())
    while True:
        while not turns.empty():
            piece = turns.get_nowait()
            if piece is None:
                await task
                return
            yield piece
        yield b""
        await asyncio.sleep(0)


def _metrics(servers: int) -> Metrics:
    check = CheckConfig(
        name="always",
        kind="always",
        checker=Always(),
        interval=1.0,
        fast_interval=1.0,
        timeout=1.0,
        fall=Threshold(3, 3),
        rise=Threshold(2, 2),
    )
    endpoints = [Endpoint(address(number), 80) for number in range(servers)]
    services = tuple(
        ServiceConfig(
            name=f"service-{number}",
            key=ServiceKey.at(Protocol.TCP, Endpoint("192.0.2.1", number + 1)),
            options=ServiceOptions(),
            servers=tuple(ServerConfig(endpoint=each, destination=Destination()) for each in endpoints[number::10]),
            checks=(check,),
            on_failure=OnFailure.QUIESCE,
            all_down=AllDown.EMPTY,
            fallback=None,
        )
        for number in range(10)
    )
    plan, bus = make(Config(services=services)), Bus()
    controller = Controller(plan, SystemClock(), bus, lambda table, retired: None)  # noqa: ARG005 - nobody edits
    controller.start(Table(), Memory())
    for job in plan.jobs.values():
        controller.record(job, Outcome(Status.PASS, "L7OK", "answered 200", 0.0012))
    counted = {each.key.label: {server.endpoint: Connections(1, 2, 3) for server in each.servers} for each in services}

    async def counts() -> Counts:
        return counted

    inside = Inside(
        version="",
        started=0.0,
        loaded=0.0,
        scheduler=SchedulerView(),
        refused=0,
        alive=True,
        frozen=False,
        history_error=False,
        history_dropped=0,
        channels=[],
    )
    return Metrics(EventCounter(bus), controller.snapshot_slices, lambda: inside, counts)


if __name__ == "__main__":
    main()
