from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from healthd.clock import SystemClock
from healthd.control import following
from healthd.control.ring import id_at
from healthd.daemon import Daemon
from healthd.events import Stopped
from healthd.history import reader
from tests.healthd.control.conftest import ControlledSite
from tests.support.asking import Client, asking

PATIENCE = 60.0  # seconds that a disk may take on a busy machine
NDJSON: dict[str, str] = {"Accept": "application/x-ndjson"}


class Stream:
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def event(self) -> dict[str, Any]:
        """The next one of Server-Sent Events, with its fields; comments and `retry` are passed over."""
        fields: dict[str, Any] = {}
        while True:
            line = (await self.response.content.readline()).decode()
            assert line, "the stream has ended"
            name, _, value = line.rstrip("\n").partition(": ")
            if name in {"id", "event", "data"}:
                fields[name] = value
            elif not name and "data" in fields:
                return {**json.loads(fields["data"]), "id": fields.get("id"), "event": fields["event"]}

    async def record(self) -> dict[str, Any]:
        """The next line of JSON; empty ones are signs of life."""
        while not (line := (await self.response.content.readline()).strip()):
            assert not self.response.content.at_eof(), "the stream has ended"
        found: dict[str, Any] = json.loads(line)
        return found


@asynccontextmanager
async def stream(client: Client, query: dict[str, str] | None = None, /, **headers: str) -> AsyncIterator[Stream]:
    async with client.session.get("/api/v1/events", params=query, headers=headers) as response:
        assert response.status == 200
        yield Stream(response)


async def test_events_as_they_happen(client: Client, site: ControlledSite) -> None:
    """As Server-Sent Events: an id that grows, the kind, and the event's record on one line."""
    async with stream(client) as events:
        assert events.response.content_type == "text/event-stream"
        await client.post("drain", {"servers": ["web/10.0.0.1:80"]})
        began = await events.event()
        edited = await events.event()
        assert [began["event"], edited["event"]] == ["drain_began", "table_edited"]
        assert began["kind"] == "drain_began"
        assert int(began["id"]) < int(edited["id"])
        assert began["text"] == (await site.told("drain_began")).text()


async def test_one_json_object_per_line(client: Client) -> None:
    """For programs, with the id among the fields, and only of the kinds and services that were asked for."""
    async with stream(client, {"service": "o*", "kind": "drain_began,maintenance_began"}, **NDJSON) as events:
        assert events.response.content_type == "application/x-ndjson"
        await client.post("drain", {"servers": ["web/10.0.0.1:80"]})
        await client.post("drain", {"servers": ["other/10.0.0.1:80"], "force": True})
        record = await events.record()
        assert (record["service"], record["kind"]) == ("other", "drain_began")
        assert isinstance(record["id"], int)


@pytest.mark.parametrize("server", ["10.0.0.2:80", "10.0.0.2", "*.2", "10.*2:80"])
async def test_of_some_servers(client: Client, server: str) -> None:
    """By name, by address on every port, or by pattern, as in the history; what is about no server is left out."""
    async with stream(client, {"server": server}, **NDJSON) as events:
        await client.post("freeze", {})
        await client.post("drain", {"servers": ["web/10.0.0.1:80"]})
        await client.post("maintenance", {"servers": ["web/10.0.0.2:80"], "force": True})
        record = await events.record()
        assert (record["server"], record["kind"]) == ("10.0.0.2:80", "maintenance_began")


async def test_what_tells_of_several_servers_is_of_each(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who follows one server, by itself or in its service, sees the edits of the table and the checks asked of it."""
    monkeypatch.setattr(reader, "PATIENCE", PATIENCE)  # the disk may be slow, and what happened has to be on it
    one = {"service": "web", "server": "10.0.0.2:80"}
    kinds = {"kind": "check_asked,table_edited"}
    async with stream(client, one | kinds, **NDJSON) as of_one, stream(client, kinds, **NDJSON) as of_all:
        await client.post("check-now", {"servers": ["web/10.0.0.1:80"]})
        await client.post("check-now", {"servers": ["web/*"]})
        await client.post("weight", {"servers": ["web/10.0.0.1:80"], "weight": 3})
        assert [(await of_all.record())["kind"] for _ in range(3)] == ["check_asked", "check_asked", "table_edited"]
        await client.post("weight", {"servers": ["web/10.0.0.2:80"], "weight": 3})
        asked, edited = await of_one.record(), await of_one.record()
        assert asked["servers"] == ["10.0.0.1:80", "10.0.0.2:80"]
        assert edited["about"] == ["web/10.0.0.2:80"]
    answer = await client.get("/api/v1/history", one | kinds)
    assert [{**event, "id": 0} for event in answer.json["events"][:2]] == [{**edited, "id": 0}, {**asked, "id": 0}]


def tell(daemon: Daemon, number: int) -> int:
    """Something that can be told apart, and its id."""
    at = SystemClock().wall()
    daemon.bus.publish(Stopped(at=at, reason=str(number)))
    return id_at(at)


async def test_nothing_is_missed_by_who_comes_back(client: Client, daemon: Daemon) -> None:
    """With the id of the last event it saw, a client gets what happened in between first, each event once."""
    only = {"kind": "stopped"}
    async with stream(client, only) as events:
        tell(daemon, 1)
        tell(daemon, 2)
        first = await events.event()
        assert first["reason"] == "1"
    for number in (3, 4, 5):
        tell(daemon, number)
    async with stream(client, only, **{"Last-Event-ID": first["id"]}) as events:
        tell(daemon, 6)
        assert [(await events.event())["reason"] for _ in range(5)] == ["2", "3", "4", "5", "6"]


async def forgetting(daemon: Daemon, site: ControlledSite) -> list[int]:
    """Tells more than the ring keeps; the ids."""
    rooms = daemon.interface._control._rooms  # type: ignore[union-attr] # it listens
    before = rooms.ring.forgotten
    ids = [tell(daemon, number) for number in range(2500)]
    await site.until(lambda: rooms.ring.last >= ids[-1] and rooms.ring.forgotten > before)
    return ids


async def kept(client: Client) -> None:
    """Returns when the history has all that `forgetting` told."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await client.get("/api/v1/history", {"limit": "1", "kind": "stopped"})
            newest = answer.json["events"] if answer.status == 200 else []  # the file is made when there is something
            if newest and newest[0]["reason"] == "2499":
                return


async def test_what_is_forgotten_is_told_to_be(site: ControlledSite) -> None:
    """Where neither the ring nor a history goes back so far, an event `missed` says so, and the rest follows."""
    site.write("history.toml", '[history]\nfile = "off"\n')
    async with site.running() as daemon, asking(site.socket) as client:
        await forgetting(daemon, site)
        async with stream(client, {"kind": "stopped"}, **{"Last-Event-ID": "5"}) as events:
            missed = await events.event()
            assert (missed["event"], missed["id"]) == ("missed", None)
            assert missed["text"] == "events between the last one seen and the next one are no longer kept"
            assert (await events.event())["event"] == "stopped"


async def test_what_the_ring_has_forgotten_the_history_knows(
    client: Client, daemon: Daemon, site: ControlledSite
) -> None:
    """Who comes back after long still gets every event once, in order."""
    ids = await forgetting(daemon, site)
    await kept(client)
    async with stream(client, {"kind": "stopped"}, **{"Last-Event-ID": str(ids[700])}) as events:
        assert [(await events.event())["reason"] for _ in range(1799)] == [str(number) for number in range(701, 2500)]


async def test_the_history_is_asked_for_the_same_servers(client: Client, daemon: Daemon, site: ControlledSite) -> None:
    """However much has happened to others since: more than could be recalled."""
    first = tell(daemon, 0)
    await client.post("maintenance", {"servers": ["web/10.0.0.1:80"]})
    await client.post("drain", {"servers": ["web/10.0.0.2:80"], "force": True})
    await forgetting(daemon, site)
    await kept(client)
    async with stream(client, {"server": "10.0.0.2"}, **{"Last-Event-ID": str(first)}) as events:
        record = await events.event()
        assert (record["event"], record["server"]) == ("drain_began", "10.0.0.2:80")


async def test_a_sign_of_life(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """When nothing happens both ends still learn that the other is there."""
    monkeypatch.setattr(following, "PING", 0.05)
    async with stream(client, {"kind": "thawed"}) as events:
        lines = [await events.response.content.readline() for _ in range(6)]
        assert lines == [b"retry: 2000\n", b"\n", b": ping\n", b"\n", b": ping\n", b"\n"]


async def test_so_many_and_no_more(
    client: Client, daemon: Daemon, site: ControlledSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One stream too many is refused with 503, and there is room again when one ends."""
    monkeypatch.setattr(following, "MOST", 2)
    async with stream(client), stream(client):
        refused = await client.get("/api/v1/events")
        assert (refused.status, refused.messages) == (503, ["there are 2 event streams already"])
    rooms = daemon.interface._control._rooms  # type: ignore[union-attr] # it listens
    await site.until(lambda: rooms.followers == 0)
    async with stream(client):
        pass


async def test_the_end_is_the_last_event(site: ControlledSite) -> None:
    """When the daemon stops, those who follow it are told before the stream ends."""
    async with site.running() as daemon, asking(site.socket) as client, stream(client, **NDJSON) as events:
        daemon.stop("the test is over")
        seen = []
        while line := await events.response.content.readline():
            seen += [json.loads(line)["kind"]] if line.strip() else []
        assert seen[-1] == "stopped"


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "9" * 30, "", "٣"])
async def test_what_is_no_id(client: Client, last: str) -> None:
    """It is refused rather than guessed at."""
    async with client.session.get("/api/v1/events", headers={"Last-Event-ID": last}) as response:
        assert response.status == 400
