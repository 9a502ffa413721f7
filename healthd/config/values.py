"""The configuration as the rest of healthd sees it: complete, inherited, checked, in plain values.

Durations are seconds. Every name in it is known, every address canonical; nothing here has to be checked again.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from checkers.base import Checker
from healthd.config.access import NO_CONTROL, ControlConfig
from healthd.model import Destination, Endpoint, ServiceKey, ServiceOptions, Threshold
from healthd.weights import AS_USUAL, Damping


class OnFailure(enum.StrEnum):
    QUIESCE = "quiesce"
    REMOVE = "remove"


class AllDown(enum.StrEnum):
    EMPTY = "empty"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    table: Literal["kernel", "memory"] = "kernel"
    state_dir: Path = Path("/var/lib/healthd")
    plugin_dir: Path = Path("/etc/healthd/plugins")
    on_exit: Literal["keep", "withdraw"] = "keep"
    resync: float = 10.0
    workers: int = 0
    log_format: Literal["text", "json", "journal"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckConfig:
    """One check of every server of a service. `name` is the named check's, or one made from its kind.

    A server that takes longer than `slow` to pass is degraded.
    """

    name: str
    kind: str
    checker: Checker
    interval: float
    fast_interval: float
    timeout: float
    fall: Threshold
    rise: Threshold
    slow: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """A real server; `destination.weight` is the weight it has while it is well."""

    endpoint: Endpoint
    destination: Destination


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceConfig:
    """A virtual service. A server is well while all of `checks` are; without checks it always is.

    An operator's act that would leave less than `min_available` servers available is refused. `damping` says what
    becomes of the weights that its servers ask for.
    """

    name: str
    key: ServiceKey
    options: ServiceOptions
    servers: tuple[ServerConfig, ...]
    checks: tuple[CheckConfig, ...]
    on_failure: OnFailure
    all_down: AllDown
    fallback: ServerConfig | None
    min_available: int = 1
    damping: Damping = AS_USUAL


@dataclass(frozen=True, slots=True, kw_only=True)
class MailConfig:
    """`password_file` is read when a message is sent, so a changed password needs no reload."""

    to: tuple[str, ...]
    sender: str
    host: str = "localhost"
    port: int = 25
    security: Literal["none", "starttls", "tls"] = "none"
    verify: bool = True
    ca_file: Path | None = None
    user: str | None = None
    password_file: Path | None = None
    timeout: float = 30.0
    retry_for: float = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandConfig:
    command: tuple[str, ...]
    timeout: float = 10.0
    retry_for: float = 86400.0


Format = Literal["json", "slack", "teams", "pagerduty", "alertmanager"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookConfig:
    """One of `url` and `url_file` is there, and with `template` no `format` counts. Files are read for every message.

    A URL or a header may be a secret, so neither is shown.
    """

    url: str | None = field(default=None, repr=False)
    url_file: Path | None = None
    method: Literal["POST", "PUT"] = "POST"
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    format: Format = "json"
    template: str | None = None
    content_type: str = "application/json"
    token_file: Path | None = None
    secret_file: Path | None = None
    verify: bool = True
    ca_file: Path | None = None
    timeout: float = 10.0
    retry_for: float = 86400.0
    heartbeat_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppriseConfig:
    """`urls_file` holds one URL of Apprise's in each line."""

    urls_file: Path
    timeout: float = 30.0
    retry_for: float = 86400.0


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` messages at once, and as many in every `seconds`."""

    count: int
    seconds: float


SinkConfig = MailConfig | CommandConfig | WebhookConfig | AppriseConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertConfig:
    """Which events go where. `events` are names of healthd.events.KINDS; `services` are glob patterns.

    What happens within `burst` seconds of a first event is told together. What still fails is told again every
    `repeat` seconds. Every `heartbeat` seconds the receivers are told that healthd is running.
    """

    name: str
    events: frozenset[str]
    services: tuple[str, ...]
    burst: float
    sink: SinkConfig
    repeat: float | None = None
    rate: Rate | None = None
    heartbeat: float | None = None

    @property
    def kind(self) -> str:
        return type(self.sink).__name__.removesuffix("Config").lower()

    @property
    def refreshes(self) -> bool:
        """Whether repeating serves the receiver, which takes silence for recovery, and not people."""
        return isinstance(self.sink, WebhookConfig) and self.sink.format == "alertmanager" and not self.sink.template


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryConfig:
    """`file` is None where no history is kept. What is kept is for so many seconds, in `max_size` bytes at most."""

    file: Path | None = None
    keep_events: float = 90 * 86400.0
    keep_minutes: float = 2 * 86400.0
    keep_hours: float = 60 * 86400.0
    keep_days: float = 1000 * 86400.0
    max_size: int = 200 * 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    settings: Settings = Settings()
    services: tuple[ServiceConfig, ...] = ()
    alerts: tuple[AlertConfig, ...] = ()
    control: ControlConfig = NO_CONTROL
    history: HistoryConfig = HistoryConfig()
    warnings: tuple[str, ...] = ()
    sources: Mapping[str, Path] = field(default_factory=dict)
    """The file in which each service stands, by its name."""
