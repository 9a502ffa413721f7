"""What all handlers share: the sources, and what the control interface keeps itself."""

from __future__ import annotations

import asyncio

from healthd.config.access import ControlConfig
from healthd.control.ring import Ring
from healthd.control.sessions import Sessions
from healthd.control.sources import Sources
from healthd.control.status import Status

MOST_LARGE = 8


class Rooms:
    def __init__(self, sources: Sources, config: ControlConfig) -> None:
        self.sources = sources
        self.config = config
        self.ring = Ring(sources.bus, sources.clock.wall())
        self.status = Status(sources, self.ring.newest)
        self.sessions = Sessions(sources.clock)
        self.followers = 0
        """Event streams that are open."""
        self.turns = {local: asyncio.Semaphore(MOST_LARGE) for local in (True, False)}
        """For large answers, each of which keeps its text in memory until it is sent: by the unix socket, on TCP."""
        self.description = b""
        """The OpenAPI description."""
        self.scrapes = 0
        """Readings of the metrics that are under way."""
