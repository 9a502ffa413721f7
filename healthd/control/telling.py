"""Telling healthd what to do. Whether it may be done, and what follows, is the operator's to say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from healthd.control.asking import Ask, answer, send
from healthd.control.failures import Failed, refused
from healthd.operators.orders import Done, Order, Refused
from healthd.overrides import SetWeight

SLICE = 1000
"""Texts that are put into JSON in one go: a millisecond."""


async def drain(ask: Ask) -> web.StreamResponse:
    body, operator = ask.body, ask.rooms.sources.operator
    return await _done(ask, operator.drain(body["servers"], _order(ask), limit=body["limit"]))


async def maintenance(ask: Ask) -> web.StreamResponse:
    body, operator = ask.body, ask.rooms.sources.operator
    return await _done(ask, operator.maintain(body["servers"], _order(ask), ttl=body["ttl"]))


async def ready(ask: Ask) -> web.StreamResponse:
    return await _done(ask, ask.rooms.sources.operator.ready(ask.body["servers"], _order(ask)))


async def weight(ask: Ask) -> web.StreamResponse:
    wanted = _weight(ask.body["weight"])
    return await _done(ask, ask.rooms.sources.operator.set_weight(ask.body["servers"], _order(ask), wanted))


async def freeze(ask: Ask) -> web.StreamResponse:
    return await _done(ask, ask.rooms.sources.operator.freeze(_order(ask), ttl=ask.body["ttl"]))


async def thaw(ask: Ask) -> web.StreamResponse:
    return await _done(ask, ask.rooms.sources.operator.thaw(_order(ask)))


async def check_now(ask: Ask) -> web.StreamResponse:
    return await _done(ask, ask.rooms.sources.operator.check_now(ask.body["servers"], _order(ask)))


async def reload(ask: Ask) -> web.StreamResponse:
    """The configuration is read after the answer; an event says what came of it."""
    return await _done(ask, ask.rooms.sources.operator.reload(_order(ask)))


async def alert_test(ask: Ask) -> web.StreamResponse:
    return await _done(ask, ask.rooms.sources.operator.test_alert(ask.body["channel"], _order(ask)))


async def plan(ask: Ask) -> web.StreamResponse:
    path = ask.body["path"]
    if path is not None and not (ask.person and ask.person.trusted):
        raise Failed(
            "forbidden",
            "another configuration can bring code of its own along, as plugins; only root, or the user that healthd "
            "runs as, may name one, on the unix socket",
        )
    if path is not None and "\0" in path:
        raise Failed("invalid", "path: expected the path of a file or folder")
    try:
        preview = await ask.rooms.sources.operator.plan(None if path is None else Path(path))
    except Refused as refusal:
        raise refused(refusal) from refusal
    parts: dict[str, Any] = {name: getattr(preview, name) for name in ("edits", "effects", "errors", "warnings")}
    return answer({name: [str(each) for each in part] for name, part in parts.items()})


async def _done(ask: Ask, act: Awaitable[Done]) -> web.StreamResponse:
    try:
        done = await act
    except Refused as refusal:
        raise refused(refusal) from refusal
    ask.rooms.status.forget()
    pieces = [b'{"done": [', *[piece async for piece in _texts(done.texts)], b'], "edits": [']
    pieces += [piece async for piece in _texts(done.edits)]
    failed = f', "failed": {json.dumps(done.failed)}' if done.failed else ""
    return await send(ask, [*pieces, f"]{failed}}}".encode()])


async def _texts(texts: Sequence[str]) -> AsyncIterator[bytes]:
    """The items of a JSON array: there may be thousands."""
    for start in range(0, len(texts), SLICE):
        some = json.dumps(texts[start : start + SLICE])[1:-1]
        yield f"{', ' if start else ''}{some}".encode()
        await asyncio.sleep(0)


def _order(ask: Ask) -> Order:
    if ask.person is None:
        raise Failed("unauthorized", "an act needs somebody who is answerable for it")
    return Order(who=ask.person.who, reason=ask.body["reason"], force=ask.body["force"])


def _weight(text: str) -> SetWeight | None:
    """Of `50%`, `3`, or empty for the configured one; what else there may be the pattern of the parameter forbids."""
    if not text:
        return None
    return SetWeight(int(text.removesuffix("%")), percent=text.endswith("%"))
