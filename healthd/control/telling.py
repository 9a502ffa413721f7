"""Telling healthd what to do. Whether it may be done, and what follows, is the operator's to say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from healthd.control.asking import Ask, answer
from healthd.control.failures import Failed, refused
from healthd.orders import Done, Order, Refused
from healthd.overrides import SetWeight


async def drain(ask: Ask) -> web.StreamResponse:
    body, operator = ask.body, ask.rooms.sources.operator
    return _done(ask, lambda: operator.drain(body["servers"], _order(ask), limit=body["limit"]))


async def maintenance(ask: Ask) -> web.StreamResponse:
    body, operator = ask.body, ask.rooms.sources.operator
    return _done(ask, lambda: operator.maintain(body["servers"], _order(ask), ttl=body["ttl"]))


async def ready(ask: Ask) -> web.StreamResponse:
    return _done(ask, lambda: ask.rooms.sources.operator.ready(ask.body["servers"], _order(ask)))


async def weight(ask: Ask) -> web.StreamResponse:
    wanted = _weight(ask.body["weight"])
    return _done(ask, lambda: ask.rooms.sources.operator.set_weight(ask.body["servers"], _order(ask), wanted))


async def freeze(ask: Ask) -> web.StreamResponse:
    return _done(ask, lambda: ask.rooms.sources.operator.freeze(_order(ask), ttl=ask.body["ttl"]))


async def thaw(ask: Ask) -> web.StreamResponse:
    return _done(ask, lambda: ask.rooms.sources.operator.thaw(_order(ask)))


async def check_now(ask: Ask) -> web.StreamResponse:
    return _done(ask, lambda: ask.rooms.sources.operator.check_now(ask.body["servers"], _order(ask)))


async def reload(ask: Ask) -> web.StreamResponse:
    """The configuration is read after the answer; an event says what came of it."""
    return _done(ask, lambda: ask.rooms.sources.operator.reload(_order(ask)))


async def alert_test(ask: Ask) -> web.StreamResponse:
    alerts, name = ask.rooms.sources.alerts, ask.body["channel"]
    if alerts is None:
        raise Failed("not_found", "no [alert.NAME] is configured")
    try:
        texts = await alerts.test(name)
    except KeyError:
        raise Failed("not_found", f"there is no alert {name}") from None
    return answer({"done": list(texts), "edits": []})


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


def _done(ask: Ask, act: Callable[[], Done]) -> web.Response:
    try:
        done = act()
    except Refused as refusal:
        raise refused(refusal) from refusal
    ask.rooms.status.forget()
    return answer({"done": list(done.texts), "edits": list(done.edits)})


def _order(ask: Ask) -> Order:
    if ask.person is None:
        raise Failed("unauthorized", "an act needs somebody who is answerable for it")
    return Order(who=ask.person.who, reason=ask.body["reason"], force=ask.body["force"])


def _weight(text: str) -> SetWeight | None:
    """Of `50%`, `3`, or empty for the configured one; what else there may be the pattern of the parameter forbids."""
    if not text:
        return None
    return SetWeight(int(text.removesuffix("%")), percent=text.endswith("%"))
