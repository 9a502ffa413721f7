from __future__ import annotations

from typing import Any

import pytest

from healthd.daemon import Daemon
from healthd.model import Connections
from tests.healthd.control.conftest import ControlledSite
from tests.support.asking import Client
from tests.support.building import KEY, A

FIRST = "web/10.0.0.1:80"


async def state_of(client: Client, server: str = FIRST) -> Any:
    service, _, name = server.partition("/")
    return (await client.get(f"/api/v1/services/{service}/servers/{name}")).json


async def test_drain_and_ready(client: Client, site: ControlledSite) -> None:
    """Weight 0 at once, with who and why for everyone to see; and back at once."""
    site.ipvs.connections[KEY, A] = Connections(active=1)
    done = await client.post("drain", {"servers": [FIRST], "reason": "new kernel", "limit": 300})
    assert done.status == 200
    assert done.json["edits"] == ["-e -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 0"]
    await site.until(lambda: "-r 10.0.0.1:80 -m -w 0" in site.table)
    server = await state_of(client)
    assert server["active"] == 1
    assert server["state"] == "drain"
    assert server["reason"] == "drain by root; new kernel"
    assert server["override"]["until"] == pytest.approx(server["override"]["since"] + 300)
    assert (await site.told("drain_began")).record()["who"] == "root"
    assert (await client.post("ready", {"servers": [FIRST]})).status == 200
    await site.until(lambda: "-r 10.0.0.1:80 -m -w 1" in site.table)
    assert (await state_of(client))["override"] is None


async def test_maintenance(client: Client, site: ControlledSite) -> None:
    """It ends by itself after its time, and comes back through its checks."""
    assert (await client.post("maintenance", {"servers": ["web/10.0.0.2"], "ttl": 0.3})).status == 200
    await site.told("maintenance_began")
    await site.told("maintenance_ended")
    await site.told("server_admitted")


@pytest.mark.parametrize(("weight", "effective"), [("50%", 5), (7, 7), ("3", 3)])
async def test_weight(client: Client, site: ControlledSite, daemon: Daemon, weight: object, effective: int) -> None:
    """A number or a share of the configured one; null brings that back."""
    site.web(weight=10)
    daemon.reload()
    await site.until(lambda: "-w 10" in site.table)
    assert (await client.post("weight", {"servers": [FIRST], "weight": weight})).status == 200
    await site.until(lambda: f"-r 10.0.0.1:80 -m -w {effective}" in site.table)
    assert (await client.post("weight", {"servers": [FIRST], "weight": None})).status == 200
    await site.until(lambda: "-r 10.0.0.1:80 -m -w 10" in site.table)


async def test_freeze_and_thaw(client: Client, site: ControlledSite, daemon: Daemon) -> None:
    """While it is frozen nothing is edited, and everybody sees what is held back."""
    assert (await client.post("freeze", {"reason": "looking"})).status == 200
    assert (await client.post("drain", {"servers": [FIRST]})).status == 200
    await site.until(lambda: bool(daemon._parts.reconciler.pending))
    state = (await client.get("/api/v1/status")).json
    assert state["frozen"]["who"] == "root"
    assert state["table"]["pending"] == ["-e -t 192.168.7.110:80 -r 10.0.0.1:80 -m -w 0"]
    assert state["unusual"][0].startswith("frozen by root since ")
    assert "looking" in state["unusual"][0]
    assert "-r 10.0.0.1:80 -m -w 1" in site.table
    assert (await client.post("thaw")).status == 200
    await site.until(lambda: "-r 10.0.0.1:80 -m -w 0" in site.table)


async def test_check_now_and_reload(client: Client, site: ControlledSite) -> None:
    """Both are asked for, and events tell that they were and what came of it."""
    assert (await client.post("check-now", {"servers": ["*/10.0.0.1:80"]})).status == 200
    assert (await site.told("check_asked")).record()["who"] == "root"
    assert (await client.post("reload")).status == 200
    await site.told("reloaded")
    assert (await client.get("/api/v1/status")).json["generation"] == 2


async def test_refusals_are_told_and_kept(client: Client, site: ControlledSite) -> None:
    """404 for what matches nothing, 409 where too few would be left, and each is in the audit trail."""
    missing = await client.post("drain", {"servers": ["web/10.0.0.7"]})
    assert missing.status == 404
    assert missing.messages[0].startswith('no server matches "10.0.0.7" in service "web"')
    short = await client.post("drain", {"servers": ["web/*"]})
    assert short.status == 409
    assert "min_available is 1" in short.messages[0]
    refused = [(await site.told("act_refused")).record() for _ in range(2)]
    assert [event["selectors"] for event in refused] == [["web/10.0.0.7"], ["web/*"]]
    assert {event["who"] for event in refused} == {"root"}
    assert (await client.post("drain", {"servers": ["web/*"], "force": True})).status == 200


@pytest.mark.parametrize(
    ("act", "body", "messages"),
    [
        ("drain", {}, ["servers: is missing"]),
        ("drain", {"servers": []}, ["servers: expected an array of one to 200 strings"]),
        ("drain", {"servers": [" , "]}, ['servers: expected names such as "web/192.168.7.11:80"']),
        ("drain", {"servers": ["a"], "ttl": 5}, ['"ttl": is not known; known here: servers, limit, reason, force']),
        ("drain", {"servers": ["a"], "limit": -1}, ["limit: expected a number from 0.001 to 3.16224e+07"]),
        ("drain", {"servers": ["a"], "limit": True}, ["limit: expected a number from 0.001 to 3.16224e+07"]),
        ("drain", {"servers": ["a"], "force": 1}, ["force: expected true or false"]),
        ("drain", {"servers": ["a"], "reason": "x" * 501}, ["reason: expected a string of at most 500 characters"]),
        ("weight", {"servers": ["a"], "weight": "half"}, ["weight: expected a weight from 0 to 65535, "]),
        ("weight", {"servers": ["a"], "weight": 1.5}, ["weight: expected a weight from 0 to 65535, "]),
    ],
)
async def test_what_cannot_be_understood(client: Client, act: str, body: dict[str, Any], messages: list[str]) -> None:
    """Status 400, and every message says which field, and what was expected of it."""
    answer = await client.post(act, body)
    assert answer.status == 400
    assert len(answer.messages) == len(messages)
    assert all(found.startswith(wanted) for found, wanted in zip(answer.messages, messages, strict=True))


@pytest.mark.parametrize(
    ("body", "kind", "status", "message"),
    [
        (b"{", "application/json", 400, "the body is not JSON: "),
        (b"[1]", "application/json", 400, "the body is not a JSON object"),
        (b"[" * 60000, "application/json", 400, "the body is not JSON: "),
        (b'{"servers": ["a"], "limit": NaN}', "application/json", 400, "the body is not JSON: NaN"),
        (b'{"servers": ["\\ud800"]}', "application/json", 400, "servers: expected a string of Unicode"),
        (b"\xff\xfe", "application/json", 400, "the body is not JSON: "),
        (b"servers=web", "application/x-www-form-urlencoded", 415, "the body has to be JSON"),
        (b'{"reason": "' + b"x" * 65536 + b'"}', "application/json", 413, "the body has more than 65536 bytes"),
    ],
)
async def test_bodies_that_are_none(client: Client, body: bytes, kind: str, status: int, message: str) -> None:
    """Whatever is sent, the answer is JSON and says what is wrong with it."""
    async with client.session.post("/api/v1/drain", data=body, headers={"Content-Type": kind}) as response:
        answer = await response.json()
        assert response.status == status
        assert answer["error"]["messages"][0].startswith(message)


async def test_plan(client: Client, site: ControlledSite) -> None:
    """The edits that the files as they are now would cause, and none of them done."""
    site.web(weight=4)
    found = (await client.post("plan")).json
    assert set(found) == {"edits", "effects", "errors", "warnings"}
    assert any("-w 4" in edit for edit in found["edits"])
    assert "-w 4" not in site.table
    site.write("web.toml", "[service.web]\nvirtual = 1\n")
    broken = (await client.post("plan", {"path": str(site.folder)})).json
    assert any("web.toml:2" in error for error in broken["errors"])


async def test_alert_test_without_alerts(client: Client) -> None:
    """A channel that does not exist is said so."""
    answer = await client.post("alert-test", {"channel": "ops"})
    assert (answer.status, answer.messages) == (404, ["there is no alert ops"])


async def test_what_makes_no_sense(client: Client) -> None:
    """What is well-formed and still cannot be is 422, in the operator's words."""
    answer = await client.post("drain", {"servers": ["web/*"] * 21})
    assert (answer.status, answer.json["error"]["status"]) == (422, "invalid")
    assert answer.messages == ["at most 20 patterns at a time"]
