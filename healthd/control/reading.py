"""Asking for the state: all of it, one service, one server, and why it is so."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from healthd.clock import Deadline
from healthd.control import explaining, recalling, shapes
from healthd.control.asking import Ask, answer, send
from healthd.control.failures import Failed, refused
from healthd.control.sources import History, Record, Unanswered, Wanted
from healthd.control.status import Filter, Gathered
from healthd.operators.orders import Refused
from healthd.snapshot import ServerView, ServiceView
from healthd.verdict import Health

WAIT = 10.0
"""Seconds that a large answer waits for its turn."""

SKEW = 60.0
"""Seconds that the clock of one who asks may be ahead."""


async def status(ask: Ask) -> web.StreamResponse:
    query, rooms = ask.query, ask.rooms
    async with _turn(ask):
        wanted = Filter(query["service"], query["server"], query["state"], query["summary"])
        services = await rooms.status.services(wanted)
        head = json.dumps({**await rooms.status.head(), "you": ask.you})
        return await send(ask, [f'{head[:-1]}, "services": '.encode(), *services, b"}"])


async def service(ask: Ask) -> web.StreamResponse:
    """It may have every server that there is."""
    gathered = await ask.rooms.status.gathered()
    view = _service(gathered, ask.path["service"])
    async with _turn(ask):
        return await send(ask, await ask.rooms.status.service(view, gathered))


async def server(ask: Ask) -> web.StreamResponse:
    gathered = await ask.rooms.status.gathered()
    view, found = _server(gathered, ask.path["service"], ask.path["server"])
    return answer(shapes.server(view.name, found, gathered.of(view, found)))


async def explain(ask: Ask) -> web.StreamResponse:
    """Why a server is as it is, or was at a time."""
    gathered = await ask.rooms.status.gathered()
    view, found = _server(gathered, ask.path["service"], ask.path["server"])
    config = ask.rooms.sources.services().get(view.name)
    history, at = ask.rooms.sources.history, ask.query["at"]
    if at is None:
        return answer(explaining.now(view, found, config, await _told(view, found, history)))
    if history is None:
        raise Failed("not_found", "no history is kept, so only the present can be explained")
    if at > ask.rooms.sources.clock.wall() + SKEW:
        raise refused(Refused("invalid", "at: expected a time in the past"))
    known = await recalling.past(history, view.name, found.name, at)
    return answer(recalling.then(view, found, config, at, known))


async def _told(view: ServiceView, server: ServerView, history: History | None) -> Record | None:
    """The event by which its health was made known: what is not in memory may be on the disk."""
    if server.told is not None:
        return server.told.record()
    if history is None or server.health is Health.UNDECIDED:
        return None
    try:
        return await recalling.decided(history, view.name, server)
    except Unanswered:
        return None


async def history(ask: Ask) -> web.StreamResponse:
    room = ask.rooms.sources.history
    if room is None:
        raise Failed("not_found", "no history is kept")
    query = ask.query
    records, before = await room.events(
        Wanted(
            service=query["service"],
            server=query["server"],
            kinds=query["kind"],
            since=query["since"],
            until=query["until"],
            before=query["before"],
            limit=query["limit"],
        )
    )
    return await send(ask, [json.dumps({"events": list(records), "next": before}).encode()])


async def latency(ask: Ask) -> web.StreamResponse:
    """Of the last hour, unless another time is asked for."""
    room = ask.rooms.sources.history
    if room is None:
        raise Failed("not_found", "no history is kept")
    view, found = _server(await ask.rooms.status.gathered(), ask.path["service"], ask.path["server"])
    until = ask.query["until"] if ask.query["until"] is not None else ask.rooms.sources.clock.wall()
    since = ask.query["since"] if ask.query["since"] is not None else until - 3600.0
    points = await room.latency(view.name, found.name, since, until, ask.query["step"])
    return await send(ask, [json.dumps({"points": list(points)}).encode()])


@asynccontextmanager
async def _turn(ask: Ask) -> AsyncIterator[None]:
    """Only so many large answers are made and sent at the same time."""
    turns = ask.rooms.turns[ask.local]
    try:
        async with Deadline(ask.rooms.sources.clock, WAIT):
            await turns.acquire()
    except TimeoutError:
        raise Failed("busy", "too many ask at once; try again in a moment") from None
    try:
        yield
    finally:
        turns.release()


def _service(gathered: Gathered, name: str) -> ServiceView:
    for view in gathered.snapshot.services:
        if view.name == name:
            return view
    raise Failed("not_found", f"there is no service {name}")


def _server(gathered: Gathered, service: str, name: str) -> tuple[ServiceView, ServerView]:
    view = _service(gathered, service)
    for found in view.servers:
        if found.name == name:
            return view, found
    raise Failed("not_found", f"service {service} has no server {name}")
