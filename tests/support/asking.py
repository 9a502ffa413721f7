"""Asking a daemon over its unix socket or over TCP, as a program would."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

LIMIT = aiohttp.ClientTimeout(total=90)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    text: str
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def messages(self) -> list[str]:
        """Of an error, and only of one in the form that all errors have."""
        error = self.json["error"]
        assert set(error) == {"status", "messages"}
        return list(error["messages"])


class Client:
    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session

    async def get(self, path: str, query: dict[str, str] | None = None, /, **headers: str) -> Answer:
        async with self.session.get(path, params=query, headers=_named(headers)) as response:
            return Answer(response.status, await response.text(), dict(response.headers))

    async def post(self, act: str, body: dict[str, Any] | None = None, /, **headers: str) -> Answer:
        async with self.session.post(f"/api/v1/{act}", json=body or {}, headers=_named(headers)) as response:
            return Answer(response.status, await response.text(), dict(response.headers))


def _named(headers: dict[str, str]) -> dict[str, str]:
    """`X_CSRF_Token` is the header X-CSRF-Token."""
    return {name.replace("_", "-"): value for name, value in headers.items()}


@asynccontextmanager
async def asking(where: Path | str, token: str = "", **headers: str) -> AsyncIterator[Client]:
    """By the socket at a path, or at a URL; nothing is remembered between two requests but cookies."""
    connector = aiohttp.UnixConnector(str(where)) if isinstance(where, Path) else aiohttp.TCPConnector(ssl=False)
    base = "http://localhost" if isinstance(where, Path) else where
    given = _named(headers) | ({"Authorization": f"Bearer {token}"} if token else {})
    jar = aiohttp.CookieJar(unsafe=True)  # browsers take cookies of addresses too
    async with aiohttp.ClientSession(
        base, connector=connector, headers=given, timeout=LIMIT, cookie_jar=jar
    ) as session:
        yield Client(session)
