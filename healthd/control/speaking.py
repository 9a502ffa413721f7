"""What speaks HTTP on the connections that are let in."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from healthd.control.door import Door
from healthd.control.guard import Crowd
from healthd.control.rooms import Rooms

IDLE = 30.0
"""Seconds in which the head of a request has to be there, from the connection or the end of the last answer on."""
FAREWELL = 1.0
"""Seconds that requests under way get when the daemon stops."""


async def runner(rooms: Rooms, crowds: Mapping[bool, Crowd]) -> web.AppRunner:
    """Set up; its `server` makes what speaks on a connection, the same for all listeners."""
    made = web.AppRunner(
        Door(rooms, crowds).application(),
        access_log=None,
        logger=_logger(),
        keepalive_timeout=IDLE,
        lingering_time=1.0,
        shutdown_timeout=FAREWELL,
        handler_cancellation=True,
    )
    await made.setup()
    return made


def _logger() -> logging.Logger:
    """For what goes wrong here; that somebody sends what is no HTTP would let them fill the log."""
    found = logging.getLogger(f"{__name__}.http")
    found.addFilter(_ours)
    return found


def _ours(record: logging.LogRecord) -> bool:
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or not issubclass(kind, HttpProcessingError)
