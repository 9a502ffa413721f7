"""Asking for the state: all of it, one service, one server, and why it is so."""

from __future__ import annotations

import json

from aiohttp import web

from healthd.clock import Deadline
from healthd.control import explaining, shapes
from healthd.control.asking import Ask, answer, send
from healthd.control.failures import Failed
from healthd.control.sources import Wanted
from healthd.control.status import Filter, Gathered
from healthd.snapshot import ServerView, ServiceView

WAIT = 10.0
"""Seconds that a large answer waits for its turn."""


async def status(ask: Ask) -> web.StreamResponse:
    query, rooms = ask.query, ask.rooms
    turns = rooms.turns[ask.local]
    try:
        async with Deadline(rooms.sources.clock, WAIT):
            await turns.acquire()
    except TimeoutError:
        raise Failed("busy", "too many ask at once; try again in a moment") from None
    try:
        wanted = Filter(query["service"], query["server"], query["state"], query["summary"])
        services = await rooms.status.services(wanted)
        head = json.dumps({**await rooms.status.head(), "you": ask.you})
        return await send(ask, [f'{head[:-1]}, "services": '.encode(), *services, b"}"])
    finally:
        turns.release()


async def service(ask: Ask) -> web.StreamResponse:
    gathered = await ask.rooms.status.gathered()
    view = _service(gathered, ask.path["service"])
    servers = [shapes.server(view.name, each, gathered.of(view, each)) for each in view.servers]
    return await send(ask, [json.dumps(shapes.service(view) | {"servers": servers}).encode()])


async def server(ask: Ask) -> web.StreamResponse:
    gathered = await ask.rooms.status.gathered()
    view, found = _server(gathered, ask.path["service"], ask.path["server"])
    return answer(shapes.server(view.name, found, gathered.of(view, found)))


async def explain(ask: Ask) -> web.StreamResponse:
    """Why a server is as it is, or was at a time."""
    gathered = await ask.rooms.status.gathered()
    view, found = _server(gathered, ask.path["service"], ask.path["server"])
    config = ask.rooms.sources.services().get(view.name)
    at = ask.query["at"]
    if at is None:
        return answer(explaining.now(view, found, config))
    history = ask.rooms.sources.history
    if history is None:
        raise Failed("not_found", "no history is kept, so only the present can be explained")
    wanted = Wanted(service=view.name, server=found.name, kinds=explaining.KINDS, until=at, limit=1)
    records, _ = await history.events(wanted)
    return answer(explaining.then(view, found, config, at, next(iter(records), None)))


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
