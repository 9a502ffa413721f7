"""Configurations in one line, outcomes as letters and checkers that answer from a script, for the tests of the core."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from checkers.always import Always
from checkers.base import Checker, Code, Outcome, Status, Target
from healthd.config.values import (
    AllDown,
    CheckConfig,
    Config,
    OnFailure,
    ServerConfig,
    ServiceConfig,
)
from healthd.model import Destination, Endpoint, Forward, Protocol, ServiceKey, ServiceOptions, Threshold

PASS = Outcome(Status.PASS, Code.L4OK, "connected")
FAIL = Outcome(Status.FAIL, Code.L4CON, "refused")
UNKNOWN = Outcome(Status.UNKNOWN, Code.SOCKERR, "out of descriptors")

LOST = Outcome(Status.UNKNOWN, Code.WORKER, "the process that runs it was lost")

LETTERS = {"P": PASS, "F": FAIL, "U": UNKNOWN, "W": LOST}

KEY = ServiceKey.at(Protocol.TCP, Endpoint("192.168.7.110", 80))
OTHER_KEY = ServiceKey.at(Protocol.TCP, Endpoint("192.168.7.111", 80))

A = Endpoint("10.0.0.1", 80)
B = Endpoint("10.0.0.2", 80)
C = Endpoint("10.0.0.3", 80)
SORRY = Endpoint("127.0.0.1", 80)


def outcomes(letters: str) -> list[Outcome]:
    """`PFUW`: one that passed, one that failed, one that could not be carried out, one whose worker was lost."""
    return [LETTERS[letter] for letter in letters]


def threshold(text: str) -> Threshold:
    """As in a configuration: `3` or `3/5`."""
    count, _, window = text.partition("/")
    return Threshold(int(count), int(window or count))


def check(
    name: str = "tcp",
    *,
    checker: Checker | None = None,
    fall: str = "3",
    rise: str = "2",
    interval: float = 5.0,
    fast_interval: float = 1.0,
    timeout: float = 3.0,
) -> CheckConfig:
    return CheckConfig(
        name=name,
        kind="always",
        checker=checker or Always(),
        interval=interval,
        fast_interval=fast_interval,
        timeout=timeout,
        fall=threshold(fall),
        rise=threshold(rise),
    )


def server(endpoint: Endpoint, weight: int = 1) -> ServerConfig:
    return ServerConfig(endpoint=endpoint, destination=Destination(Forward.MASQ, weight))


def service(
    *servers: Endpoint | ServerConfig,
    name: str = "web",
    key: ServiceKey = KEY,
    checks: Iterable[CheckConfig] | None = None,
    on_failure: OnFailure = OnFailure.QUIESCE,
    all_down: AllDown = AllDown.EMPTY,
    fallback: Endpoint | None = None,
    min_available: int = 1,
) -> ServiceConfig:
    return ServiceConfig(
        name=name,
        key=key,
        options=ServiceOptions(),
        servers=tuple(server(one) if isinstance(one, Endpoint) else one for one in servers),
        checks=(check(),) if checks is None else tuple(checks),
        on_failure=on_failure,
        all_down=all_down,
        fallback=server(fallback) if fallback else None,
        min_available=min_available,
    )


def config(*services: ServiceConfig) -> Config:
    return Config(services=services)


class Script:
    """What a `Scripted` checker answers, and how often it was asked. The last answer is repeated."""

    def __init__(self, letters: str) -> None:
        self._left = outcomes(letters)
        self.asked = 0

    def next(self) -> Outcome:
        self.asked += 1
        return self._left.pop(0) if len(self._left) > 1 else self._left[0]


@dataclass(frozen=True, kw_only=True)
class Scripted(Checker):
    """Answers at once, each server from its own script."""

    scripts: dict[str, Script]

    async def check(self, target: Target) -> Outcome:
        return self.scripts[target.server_address].next()
