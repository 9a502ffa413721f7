"""A receiver of webhooks on loopback: aiohttp's server, told what to answer, and whether to answer at all."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Received:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answers` are used up, each a status with headers or None for silence; then everything is taken."""

    answers: list[tuple[int, dict[str, str]] | None] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    text: str = "ok"
    port: int = 0
    hanging: int = 0
    _runner: web.AppRunner | None = None

    async def start(self, tls: ssl.SSLContext | None = None, port: int = 0) -> Receiver:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=tls)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def url(self, path: str = "/hook", scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        answer = self.answers.pop(0) if self.answers else (200, {})
        if answer is None:
            self.hanging += 1
            await asyncio.Event().wait()
        status, headers = answer or (200, {})
        if 200 <= status <= 299:
            self.received.append(Received(request.method, request.path_qs, dict(request.headers), body))
        return web.Response(status=status, headers=headers, text=self.text)
