from __future__ import annotations

import asyncio
import json

from healthd.control import status
from healthd.control.status import SLICE, Filter, Gathered
from healthd.daemon import Daemon
from healthd.policy import Standing
from healthd.snapshot import ServerView, ServiceView, Snapshot
from healthd.verdict import Health
from tests.healthd.control.conftest import stepped
from tests.support.asking import Client

SLICES = 10


async def test_a_service_of_any_size_is_put_into_json_in_slices() -> None:
    """However many servers it has, everybody else has a turn after a few of them."""
    servers = tuple(ServerView(f"10.0.0.{number}", 80, Health.UP, 1, 1, ()) for number in range(SLICES * SLICE))
    view = ServiceView(
        "web", "-t 10.9.9.9:80", Standing.SERVED, len(servers), fallback_active=False, fail_open=False, servers=servers
    )
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    pieces = [piece async for piece in status._service(view, Gathered(Snapshot((view,))), Filter(), first=True)]
    task.cancel()
    assert turns >= SLICES
    assert max(piece.count(b'"address"') for piece in pieces) == SLICE
    found = json.loads(b"".join(pieces))
    assert [server["name"] for server in found["servers"]] == [server.name for server in servers]


async def test_one_service_alone_is_as_it_is_among_all(client: Client, daemon: Daemon) -> None:
    """And a pattern is no name."""
    stepped(daemon)  # both are shown of one snapshot, whatever was checked in between
    alone = (await client.get("/api/v1/services/web")).json
    every = (await client.get("/api/v1/status")).json["services"]
    among = next(service for service in every if service["name"] == "web")
    for service in (alone, among):
        for server in service["servers"]:
            for check in server["checks"]:
                check["age"] = 0  # they were asked for one after the other
    assert alone == among
    assert (await client.get("/api/v1/services/*")).status == 404
