"""What the control interface is handed. Rooms that a daemon may be without are None."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from checkers.base import Outcome
from healthd.clock import Clock
from healthd.config.values import ServiceConfig
from healthd.events import Bus
from healthd.model import Counts
from healthd.operators.orders import Done, Order
from healthd.overrides import SetWeight
from healthd.page import File
from healthd.schedulerview import SchedulerView
from healthd.snapshot import Snapshot

Record = Mapping[str, Any]
"""JSON-ready."""


@dataclass(frozen=True, slots=True)
class About:
    """`started` is wall-clock time, `uptime` in seconds; `generation` is how often a configuration was taken over."""

    version: str
    host: str
    pid: int
    started: float
    uptime: float
    generation: int


@dataclass(frozen=True, slots=True)
class TableView:
    """`read_age` is in seconds; `pending` are the edits that a freeze holds back."""

    kind: str
    errors: tuple[str, ...]
    read_age: float | None
    pending: tuple[str, ...] = ()


class Unanswered(Exception):  # noqa: N818 - named for what happened
    """The past cannot be asked now; the text says why."""


class Operator(Protocol):
    """Every act raises `healthd.operators.orders.Refused` where it cannot be done, and tells of itself either way."""

    async def drain(self, selector: Sequence[str], order: Order, *, limit: float | None) -> Done: ...
    async def maintain(self, selector: Sequence[str], order: Order, *, ttl: float | None) -> Done: ...
    async def ready(self, selector: Sequence[str], order: Order) -> Done: ...
    async def set_weight(self, selector: Sequence[str], order: Order, weight: SetWeight | None) -> Done: ...
    async def freeze(self, order: Order, *, ttl: float | None) -> Done: ...
    async def thaw(self, order: Order) -> Done: ...
    async def check_now(self, selector: Sequence[str], order: Order) -> Done: ...
    async def reload(self, order: Order) -> Done: ...
    async def test_alert(self, name: str | None, order: Order) -> Done: ...
    async def plan(self, path: Path | None) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which of the past is asked for: glob patterns, times since the epoch, and the id to go on before."""

    service: str = "*"
    server: str = "*"
    kinds: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None
    before: int | None = None
    limit: int = 100


class History(Protocol):
    """Both questions raise `Unanswered`."""

    async def events(self, wanted: Wanted) -> tuple[Sequence[Record], int | None]:
        """Newest first, each with its `id`; and the id to go on before, None at the end."""

    async def latency(self, service: str, server: str, since: float, until: float, step: str) -> Sequence[Record]:
        """Points by time: `at`, `count`, `mean`, `max`, `fails`; `step` is minute, hour or day."""

    @property
    def error(self) -> str:
        """Why the past is not kept at the moment; empty while it is."""


class Alerts(Protocol):
    def views(self) -> Sequence[Record]:
        """The state of every channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Everything that is shown and told; functions are called anew for every answer.

    `stalled` says what does not advance any more, `unready` why traffic should not yet rely on this daemon; both are
    empty while all is well. `counts` reads connections and raises IpvsUnavailable. `page` gives a file by its path
    below /static/, the page itself by "index.html". `reports` takes the name of a job, a token and what was
    reported; False is that there is no such job, or that the token is not its own.
    """

    clock: Clock
    bus: Bus
    about: Callable[[], About]
    snapshot: Callable[[], Generator[None, None, Snapshot]]
    services: Callable[[], Mapping[str, ServiceConfig]]
    table: Callable[[], TableView]
    scheduler: Callable[[], SchedulerView]
    stalled: Callable[[], str]
    unready: Callable[[], str]
    operator: Operator
    counts: Callable[[], Awaitable[Counts]] | None = None
    history: History | None = None
    alerts: Alerts | None = None
    metrics: Callable[[], AsyncIterator[bytes]] | None = None
    page: Callable[[str], File | None] | None = None
    reports: Callable[[str, str, Outcome], bool] | None = None
