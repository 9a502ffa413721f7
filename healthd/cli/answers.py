"""The daemon's answers as values. What is missing or of another type ends in one sentence, not in a traceback.

Points in time are seconds since the epoch by the daemon's clock, ages are seconds before `Status.at`.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from healthd import __version__
from healthd.cli.exits import Exit, Problem

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Outcome:
    status: str
    code: str
    detail: str
    seconds: float
    weight: int | None
    factor: float | None
    degraded: bool

    def __str__(self) -> str:
        return f"{self.code} {self.detail}".rstrip()


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    kind: str
    health: str
    settled: bool
    progress: str
    unknowns: int
    age: float | None
    last: Outcome | None
    cause: Outcome | None
    adds_up: bool = False


@dataclass(frozen=True, slots=True)
class Override:
    admin: str
    weight: str | None
    cut: bool
    since: float
    until: float | None
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class Server:
    """`weight` is None while the server is not in the table; the counts are None where nobody counts."""

    service: str
    name: str
    address: str
    port: int
    state: str
    health: str
    degraded: bool
    progress: str
    weight: int | None
    configured_weight: int
    active: int | None
    inactive: int | None
    persistent: int | None
    since: float
    transitions: int
    reason: str
    override: Override | None
    checks: tuple[Check, ...]

    @property
    def held(self) -> Override | None:
        """What an operator has it taken out by."""
        return self.override if self.override is not None and self.override.admin != "ready" else None

    @property
    def so_since(self) -> float:
        """Since when it is in the state that is shown: held by an operator, or as its checks find it."""
        return self.held.since if self.held is not None else self.since

    @property
    def deciding(self) -> Check | None:
        """The check that speaks against the server: one that is not up, one that may not stay so; else the first."""
        against = [check for check in self.checks if check.health != "up"]
        return next(iter(against or [check for check in self.checks if check.progress] or self.checks), None)

    @property
    def connections(self) -> int | None:
        """What still leads to this server: connections, and the promises of persistence."""
        counts = (self.active, self.inactive, self.persistent)
        known = [count for count in counts if count is not None]
        return sum(known) if known else None


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    virtual: str
    scheduler: str
    standing: str
    available: int
    configured: int
    min_available: int
    fallback: str
    fallback_active: bool
    fail_open: bool
    servers: tuple[Server, ...]


@dataclass(frozen=True, slots=True)
class Status:
    version: str
    host: str
    pid: int
    at: float
    uptime: float
    generation: int
    totals: Mapping[str, int]
    unusual: tuple[str, ...]
    scheduler: Mapping[str, Any]
    table: Mapping[str, Any]
    frozen: Mapping[str, Any] | None
    services: tuple[Service, ...]

    @property
    def servers(self) -> Iterator[Server]:
        for service in self.services:
            yield from service.servers


@contextmanager
def understood() -> Iterator[None]:
    """Around the reading of an answer.

    Raises:
        Problem: it is not of the form that this version knows.

    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        missing = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise Problem(
            Exit.DAEMON_FAILED,
            f"healthd: the daemon's answer cannot be read: {missing}.",
            f"  Is it of another version than this command, which is {__version__}?",
        ) from error


def status(content: Any) -> Status:
    with understood():
        made = tuple(map(_service, content["services"]))
        return _made(Status, content, services=made, unusual=tuple(map(str, content["unusual"])))


def service(content: Any) -> Service:
    with understood():
        return _service(content)


def server(content: Any) -> Server:
    with understood():
        return _server(content)


def _service(content: Any) -> Service:
    return _made(Service, content, servers=tuple(map(_server, content["servers"])))


def _server(content: Any) -> Server:
    return _made(
        Server,
        content,
        override=_perhaps(_override, content["override"]),
        checks=tuple(map(check, content["checks"])),
    )


def check(content: Any) -> Check:
    content = {"adds_up": False} | content
    return _made(Check, content, last=_perhaps(outcome, content["last"]), cause=_perhaps(outcome, content.get("cause")))


def outcome(content: Any) -> Outcome:
    return _made(Outcome, {"weight": None, "factor": None, "degraded": False} | content)


def _override(content: Any) -> Override:
    return _made(Override, content)


def _perhaps(make: Callable[[Any], Value], content: Any) -> Value | None:
    return None if content is None else make(content)


def _made(kind: type[Value], content: Any, **known: Any) -> Value:
    """Numbers and texts are taken as they come, but never one for the other: formatting relies on it."""
    hashable: Any = kind
    for name, types in _fields(hashable):
        if name not in known:
            value = content[name]
            if not isinstance(value, types):
                raise TypeError(f'"{name}" is {value!r:.40}')
            known[name] = value
    return kind(**known)


_TYPES: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "bool": (bool,),
    "float": (int, float),
    "None": (type(None),),
}


@functools.cache
def _fields(kind: Any) -> tuple[tuple[str, tuple[type, ...]], ...]:
    """The names of a dataclass's fields, each with the types that JSON may have for it."""
    return tuple(
        (field.name, tuple(one for part in str(field.type).split("|") for one in _TYPES.get(part.strip(), (dict,))))
        for field in dataclasses.fields(kind)
    )
