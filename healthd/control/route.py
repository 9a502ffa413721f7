"""One line of the table of routes."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web

from healthd.config.access import Role
from healthd.control.answers import Schema
from healthd.control.asked import Param
from healthd.control.asking import Ask
from healthd.control.pacing import Pace

Handler = Callable[[Ask], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """`role` None means that nobody has to say who they are. `answer` is the JSON Schema of what comes back.

    With `own_token` the handler itself looks at the token, which is that of one thing alone.
    `failures` are the statuses of healthd.control.failures that this route has beside those that every one may have.
    """

    method: Literal["GET", "POST"]
    path: str
    handler: Handler
    doc: str
    role: Role | None
    answer: Schema = field(default_factory=dict)
    query: tuple[Param, ...] = ()
    body: tuple[Param, ...] = ()
    failures: tuple[str, ...] = ()
    own_token: bool = False
    media_types: tuple[str, ...] = ("application/json",)
    pace: Pace | None = None

    @property
    def name(self) -> str:
        """The act, or what is read, in a word."""
        return self.path.removeprefix("/api/v1/").partition("/")[0] or "page"

    @property
    def path_names(self) -> tuple[str, ...]:
        return tuple(re.findall(r"{(\w+)[:}]", self.path))
