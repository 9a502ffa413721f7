"""Events, batches and alert configurations for tests, and a sink that remembers."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from checkers.base import Code, Outcome, Status
from healthd.alerts.batch import Batch
from healthd.alerts.sink import NotSentError
from healthd.config.values import AlertConfig, CommandConfig, Rate, SinkConfig
from healthd.events import KINDS, AlertFailed, Event, ServerDown, ServerEvent, ServerUp, ServiceLost, ServiceRecovered

AT = 1_800_000_000.0
REFUSED = Outcome(Status.FAIL, Code.L4CON, "connecting to 10.0.0.1:80: Connection refused (ECONNREFUSED)")
FINE = Outcome(Status.PASS, Code.L7OK, "HTTP/1.1 200 OK")
QUIESCED = "-e -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 0"


def down(server: str = "10.0.0.1:80", service: str = "web", *, at: float = AT, detail: str = "") -> ServerEvent:
    outcome = Outcome(Status.FAIL, Code.L7RSP, detail) if detail else REFUSED
    return ServerDown(
        at=at,
        service=service,
        server=server,
        check="front-page",
        old="up",
        new="down",
        outcomes=(outcome,),
        edits=(QUIESCED,),
        available=2,
        configured=3,
    )


def up(server: str = "10.0.0.1:80", service: str = "web", *, at: float = AT) -> ServerEvent:
    return ServerUp(
        at=at,
        service=service,
        server=server,
        check="front-page",
        old="down",
        new="up",
        outcomes=(FINE,),
        edits=(),
        available=3,
        configured=3,
    )


def lost(service: str = "web") -> ServiceLost:
    return ServiceLost(at=AT, service=service, consequence="connections are refused")


def recovered(service: str = "web") -> ServiceRecovered:
    return ServiceRecovered(at=AT, service=service, available=1, configured=3)


def batch(*events: Event, lost: int = 0) -> Batch:
    return Batch(id="a1b2", alert="ops", events=events, ready=1000.0, at=AT, lost=lost)


def alert(
    name: str = "ops",
    *,
    services: Sequence[str] = ("*",),
    burst: float = 10.0,
    events: frozenset[str] = frozenset(KINDS),
    sink: SinkConfig | None = None,
    repeat: float | None = None,
    rate: Rate | None = None,
    heartbeat: float | None = None,
) -> AlertConfig:
    return AlertConfig(
        name=name,
        events=events,
        services=tuple(services),
        burst=burst,
        sink=sink or CommandConfig(command=("/bin/true",)),
        repeat=repeat,
        rate=rate,
        heartbeat=heartbeat,
    )


class Told:
    """Takes what a channel publishes."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    @property
    def texts(self) -> list[str]:
        return [event.text() for event in self.events]

    @property
    def failures(self) -> list[str]:
        return [event.text() for event in self.events if isinstance(event, AlertFailed)]


class Remembering:
    """A sink that keeps what it is given, and fails as often as it is told to."""

    def __init__(self, *, retry_for: float = 0.0, at_most_once: bool = False) -> None:
        self.retry_for = retry_for
        self.at_most_once = at_most_once
        self.failures: list[NotSentError] = []
        self.tries = 0
        self.sent: list[Batch] = []
        self.blocked = asyncio.Event()
        self.blocked.set()

    async def send(self, batch: Batch, served: set[str]) -> str:  # noqa: ARG002 - as every sink
        self.tries += 1
        await self.blocked.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(batch)
        return "taken"

    async def beat(self) -> bool:
        return False


async def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Waits for something that other tasks, threads or programs bring about."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - a file or another thread sets no asyncio.Event
            await asyncio.sleep(0.005)


def hook(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)
