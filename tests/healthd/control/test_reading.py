from __future__ import annotations

import asyncio
from typing import Any

import jsonschema
import pytest

from healthd.control import answers
from healthd.control.routes import ROUTES
from healthd.control.status import FRESH
from healthd.daemon import Daemon
from tests.healthd.control.conftest import ControlledSite, stepped
from tests.support.asking import Client


def check(schema: answers.Schema, found: Any) -> None:
    jsonschema.validate(found, schema)


async def test_the_state_of_everything(client: Client, site: ControlledSite) -> None:
    """Who, what, and how it stands: the table and the snapshot say the same, in the shape that is described."""
    answer = await client.get("/api/v1/status")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    state = answer.json
    check(answers.STATUS, state)
    assert state["you"] == {"who": "root", "role": "operate"}
    assert state["totals"]["services"] == 2
    assert state["totals"]["up"] == state["totals"]["servers"] == 3
    assert [line for line in state["unusual"] if "late" not in line] == []  # a busy machine is unusual indeed
    assert state["table"]["ok"]
    web = next(service for service in state["services"] if service["name"] == "web")
    assert [server["name"] for server in web["servers"]] == ["10.0.0.1:80", "10.0.0.2:80"]
    assert web["servers"][0]["weight"] == 1
    assert web["servers"][0]["checks"][0]["last"]["code"] == "FIXED"
    assert web["servers"][0]["active"] == 0


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"service": "w*"}, {"web": 2}),
        ({"service": "nothing"}, {}),
        ({"server": "10.0.0.1"}, {"web": 1, "other": 1}),
        ({"server": "*.2:80"}, {"web": 1}),
        ({"state": "down,drain"}, {}),
        ({"state": "up"}, {"web": 2, "other": 1}),
        ({"summary": "1"}, {"web": 0, "other": 0}),
        ({"service": "web", "server": "10.0.0.?:80", "state": "up"}, {"web": 2}),
    ],
)
async def test_only_a_part_of_it(client: Client, query: dict[str, str], shown: dict[str, int]) -> None:
    """Filters leave out servers, and services that have none left; the totals are those of all."""
    state = (await client.get("/api/v1/status", query)).json
    check(answers.STATUS, state)
    assert {service["name"]: len(service["servers"]) for service in state["services"]} == shown
    assert state["totals"]["servers"] == 3


async def test_one_service_and_one_server(client: Client) -> None:
    """By their names, in the same shapes."""
    service = (await client.get("/api/v1/services/web")).json
    check(answers.SERVICE, service)
    server = (await client.get("/api/v1/services/web/servers/10.0.0.2:80")).json
    check(answers.SERVER, server)
    assert server["name"] == "10.0.0.2:80"
    assert service["servers"][1]["name"] == server["name"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/api/v1/services/wob", "there is no service wob"),
        ("/api/v1/services/web/servers/10.0.0.9:80", "service web has no server 10.0.0.9:80"),
        ("/api/v1/explain/web/10.0.0.9:80", "service web has no server 10.0.0.9:80"),
        ("/nowhere", "there is nothing here; /openapi.json says what there is"),
    ],
)
async def test_what_is_not_there(client: Client, path: str, message: str) -> None:
    """Status 404, with a sentence that says what is missing."""
    answer = await client.get(path)
    assert (answer.status, answer.messages) == (404, [message])


async def test_why_it_is_so(client: Client, site: ControlledSite, daemon: Daemon) -> None:
    """The outcome that decided, the rule by which it did, and the edit that followed."""
    site.web(state="down")
    daemon.reload()
    await site.told("service_lost")
    found = (await client.get("/api/v1/explain/web/10.0.0.1:80")).json
    check(answers.EXPLAINED, found)
    assert found["state"] == "down"
    assert found["event"]["kind"] == "server_down"
    assert found["rule"] == "check always: 1 pass brings it back (rise = 1)"
    assert found["edits"] == ["-e -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 0"]
    assert any("fail FIXED" in line for line in found["text"])
    assert "weight 0 in the table, 1 configured" in found["text"]
    state = (await client.get("/api/v1/status")).json
    assert "web: no real server available" in state["unusual"]


async def test_many_who_ask_at_once_cost_one_snapshot(client: Client, daemon: Daemon) -> None:
    """What was gathered for one serves all who ask within half a second."""
    clock, taken = stepped(daemon), []
    sources = daemon.interface._control._rooms.sources  # type: ignore[union-attr] # it listens
    original = sources.snapshot

    def counted() -> Any:
        taken.append(1)
        return original()

    object.__setattr__(sources, "snapshot", counted)
    for count in (1, 2):
        found = await asyncio.gather(*(client.get("/api/v1/status") for _ in range(20)))
        assert {answer.status for answer in found} == {200}
        assert len({answer.json["at"] for answer in found}) == 1
        assert len(taken) == count
        await clock.advance(FRESH)


async def test_method_and_form(client: Client) -> None:
    """A wrong method is 405 and says which are right; a query that is not known is 400 and says what is."""
    async with client.session.delete("/api/v1/status") as response:
        assert response.status == 405
        assert response.headers["Allow"] == "GET"
    wrong = await client.get("/api/v1/status", {"stat": "up", "summary": "perhaps", "state": "sick"})
    assert wrong.status == 400
    assert wrong.messages == [
        '"stat": is not known; did you mean state?',
        "summary: expected true or false",
        "state: expected one of up, down, unknown, drain, maintenance",
    ]


async def test_health_is_told_to_everyone(client: Client) -> None:
    """/healthz and /readyz need no token."""
    for path in ("/healthz", "/readyz"):
        assert (await client.get(path)).json == {"ok": True, "reasons": []}
    assert {route.path for route in ROUTES if route.role is None} >= {"/healthz", "/readyz", "/openapi.json", "/"}


async def test_what_is_asked_of_the_future(client: Client, daemon: Daemon) -> None:
    """Is not answered as if it were known."""
    at = daemon.interface._control._rooms.sources.clock.wall() + 3600  # type: ignore[union-attr] # it listens
    answer = await client.get(f"/api/v1/explain/web/10.0.0.1:80?at={at:.0f}")
    assert (answer.status, answer.messages) == (422, ["at: expected a time in the past"])


async def test_the_software_keeps_its_names_to_itself(client: Client) -> None:
    """In answers and in refusals."""
    for path in ("/healthz", "/nowhere"):
        assert (await client.get(path)).headers["Server"] == "healthd"
