"""Following events as they happen: Server-Sent Events for browsers, one JSON object per line for programs.

Who comes back with the id of the last event it saw gets what came after it: from the ring, or where that does not go
back so far from the history, or else an event `missed` that says so. One that reads too slowly to keep up is told the
same and disconnected; it can come back by its last id.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from aiohttp import web

from healthd.clock import Deadline
from healthd.control.asking import Ask
from healthd.control.failures import Failed
from healthd.control.globs import matches, matches_server
from healthd.control.ring import Numbered, Overtaken, id_at
from healthd.control.sources import Record, Unanswered, Wanted

MOST = 64
"""Streams that are open at the same time."""
PING = 15.0
"""Seconds without an event after which a sign of life is sent, so that both ends know that the other is there."""
RECALLED = 1000
"""Events that the history is asked for at most."""
NDJSON = "application/x-ndjson"
SSE = "text/event-stream"


async def events(ask: Ask) -> web.StreamResponse:
    ring, rooms = ask.rooms.ring, ask.rooms
    last = _last_id(ask)
    if rooms.followers >= MOST:
        raise Failed("busy", f"there are {MOST} event streams already")
    media_type = NDJSON if NDJSON in ask.request.headers.get("Accept", "") else SSE
    response = web.StreamResponse(
        headers={"Content-Type": media_type, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    stream = _Stream(ask, response, ring.last if last is None else last, sse=media_type == SSE)
    rooms.followers += 1
    try:
        await response.prepare(ask.request)
        await stream.follow()
    finally:
        rooms.followers -= 1
    return response


def _last_id(ask: Ask) -> int | None:
    given = ask.request.headers.get("Last-Event-ID")
    if given is None:
        return None
    if not (given.isascii() and given.isdecimal() and len(given) < 20):
        raise Failed("invalid", "Last-Event-ID: expected the id of an event, a whole number")
    return int(given)


class _Stream:
    def __init__(self, ask: Ask, response: web.StreamResponse, last: int, *, sse: bool) -> None:
        self._ask = ask
        self._ring = ask.rooms.ring
        self._response = response
        self._last = last
        self._sse = sse

    async def follow(self) -> None:
        """Until the peer goes, cannot keep up, or the daemon stops."""
        await self._response.write(b"retry: 2000\n\n" if self._sse else b"\n")
        await self._catch_up()
        while True:
            try:
                some = self._ring.after(self._last)
            except Overtaken:
                await self._missed("this reader was too slow, and events came that are no longer kept for it")
                return
            if some:
                self._last = some[-1].id
                await self._write(some)
            elif self._ring.closed:
                return
            else:
                await self._wait()

    async def _wait(self) -> None:
        try:
            async with Deadline(self._ask.rooms.sources.clock, PING):
                await self._ring.news()
        except TimeoutError:
            await self._response.write(b": ping\n\n" if self._sse else b"\n")

    async def _catch_up(self) -> None:
        """Goes on from an id that the ring has forgotten, as well as that is possible."""
        if self._last >= self._ring.forgotten:
            return
        recalled = await self._recalled()
        if recalled is None:
            await self._missed("events between the last one seen and the next one are no longer kept")
        else:
            await self._send(self._form(id_at(record["at"]), record["kind"], json.dumps(record)) for record in recalled)
        self._last = max(self._last, self._ring.forgotten)

    async def _recalled(self) -> list[Record] | None:
        """What the history has from the last id up to where the ring begins, oldest first; None if not all of it."""
        history = self._ask.rooms.sources.history
        if history is None or history.error:
            return None
        last, forgotten = self._last, self._ring.forgotten
        since, until = last / 1_000_000, (forgotten + 1) / 1_000_000
        query = self._ask.query
        wanted = Wanted(
            service=query["service"],
            server=query["server"],
            kinds=query["kind"],
            since=since,
            until=until,
            limit=RECALLED,
        )
        try:
            records, more = await history.events(wanted)
        except Unanswered:
            return None
        if more is not None:
            return None
        missing = [record for record in reversed(records) if last < id_at(record["at"]) <= forgotten]
        return [{key: value for key, value in record.items() if key != "id"} for record in missing]

    async def _write(self, some: Iterable[Numbered]) -> None:
        await self._send(self._form(each.id, each.event.kind, each.data) for each in some if self._takes(each))

    async def _send(self, texts: Iterable[str]) -> None:
        if whole := "".join(texts):  # to write nothing would end the stream
            await self._response.write(whole.encode())

    async def _missed(self, text: str) -> None:
        data = {"kind": "missed", "severity": "warning", "text": text, "at": self._ask.rooms.sources.clock.wall()}
        await self._response.write(self._form(None, "missed", json.dumps({**data, "service": ""})).encode())

    def _takes(self, each: Numbered) -> bool:
        query, event = self._ask.query, each.event
        if query["kind"] and event.kind not in query["kind"]:
            return False
        service, server = query["service"] or "*", query["server"] or "*"
        if service == server == "*":
            return True
        own = event.service, str(getattr(event, "server", ""))
        return any(matches(service, name) and matches_server(server, one) for name, one in (own, *event.tells_of))

    def _form(self, number: int | None, kind: str, data: str) -> str:
        if self._sse:
            head = "" if number is None else f"id: {number}\n"
            return f"{head}event: {kind}\ndata: {data}\n\n"
        return f'{{"id": {"null" if number is None else number}, {data[1:]}\n'
