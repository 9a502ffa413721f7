"""healthd's own health, its metrics, its description, and the page."""

from __future__ import annotations

import asyncio

from aiohttp import web

from healthd.control.asking import Ask, answer
from healthd.control.failures import Failed

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"


async def healthz(ask: Ask) -> web.StreamResponse:
    """Whether checks advance and the table answers; the reasons are for those who may read."""
    return _health(ask, ask.rooms.sources.stalled())


async def readyz(ask: Ask) -> web.StreamResponse:
    """Whether the table is as it should be."""
    sources = ask.rooms.sources
    return _health(ask, sources.stalled() or sources.unready())


def _health(ask: Ask, trouble: str) -> web.Response:
    reasons = [trouble] if trouble and ask.person else []
    return answer({"ok": not trouble, "reasons": reasons}, 503 if trouble else 200)


async def openapi(ask: Ask) -> web.StreamResponse:
    return web.Response(body=ask.rooms.description, content_type="application/json")


async def metrics(ask: Ask) -> web.StreamResponse:
    room = ask.rooms.sources.metrics
    if room is None:
        raise Failed("not_found", "no metrics are kept")
    if ask.rooms.scrapes:
        raise Failed("busy", "somebody else is reading the metrics; try again in a moment")
    ask.rooms.scrapes += 1
    response = web.StreamResponse(headers={"Content-Type": _EXPOSITION, "Cache-Control": "no-store"})
    try:
        await response.prepare(ask.request)
        async for piece in room():
            await response.write(piece)
            await asyncio.sleep(0)
    finally:
        ask.rooms.scrapes -= 1
    return response


async def page(ask: Ask) -> web.StreamResponse:
    return _file(ask, "index.html")


async def static(ask: Ask) -> web.StreamResponse:
    return _file(ask, ask.path["path"])


def _file(ask: Ask, path: str) -> web.Response:
    room = ask.rooms.sources.page
    file = room(path) if room is not None else None
    if file is None:
        raise Failed("not_found", "there is no such file")
    headers = {**_PAGE_HEADERS, "Content-Type": file.media_type}
    if file.etag:
        headers["ETag"] = file.etag
        if any(f'"{each.value}"' == file.etag for each in ask.request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
    return web.Response(body=file.body, headers=headers)
