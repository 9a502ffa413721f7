"""One request as a handler sees it, and the forms of an answer."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from healthd.clock import Deadline
from healthd.control.people import Person

if TYPE_CHECKING:
    from healthd.control.rooms import Rooms

AT_ONCE = 65536
"""Bytes that are sent before everybody else has a turn."""
LONGEST = 60.0
"""Seconds in which an answer has to be taken."""

_NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Ask:
    """`query` and `body` have a value for every parameter that the route declares."""

    request: web.Request
    rooms: Rooms
    person: Person | None
    query: dict[str, Any]
    body: dict[str, Any]

    @property
    def path(self) -> dict[str, str]:
        """What stands in the path for each of its names."""
        return dict(self.request.match_info)

    @property
    def local(self) -> bool:
        """Whether it came by the unix socket."""
        return by_unix_socket(self.request)

    @property
    def you(self) -> dict[str, str]:
        """Who asks, for themselves."""
        if self.person is None:
            return {"who": "", "role": ""}
        known = {"who": self.person.who, "role": self.person.role.value}
        return known | {"csrf": self.person.csrf} if self.person.csrf else known


def by_unix_socket(request: web.Request) -> bool:
    """Raises ConnectionResetError where the peer has gone already."""
    connection = request.transport.get_extra_info("socket") if request.transport else None
    if connection is None:
        raise ConnectionResetError
    return bool(connection.family == socket.AF_UNIX)


def answer(data: object, status: int = 200) -> web.Response:
    return web.Response(
        body=json.dumps(data).encode(), status=status, content_type="application/json", headers=_NO_STORE
    )


async def send(ask: Ask, pieces: Iterable[bytes], content_type: str = "application/json") -> web.StreamResponse:
    """An answer of any size, without holding anybody up; who takes too long to read it is cut off."""
    whole = list(pieces)
    size = sum(map(len, whole))
    if size <= AT_ONCE:
        return web.Response(body=b"".join(whole), content_type=content_type, headers=_NO_STORE)
    response = web.StreamResponse(headers={**_NO_STORE, "Content-Type": content_type, "Content-Length": str(size)})
    try:
        async with Deadline(ask.rooms.sources.clock, LONGEST):
            await response.prepare(ask.request)
            for piece in whole:
                await response.write(piece)
                await asyncio.sleep(0)
    except TimeoutError:
        raise ConnectionAbortedError from None
    return response
