"""Servers that report by themselves, over the control interface, to a daemon in this process and to a real one."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from healthd.clock import ManualClock
from healthd.control.routes import ROUTES
from tests.healthd.cli.processes import Running
from tests.healthd.control.conftest import OPERATOR, READER, ControlledSite
from tests.healthd.control.conftest import url as url_of
from tests.support.asking import Client, asking

TOKEN, OTHER_TOKEN = "p" * 20, "q" * 20
PUSHED = """
[service.jobs]
virtual = "192.168.7.112:80"
degraded_weight = "50%"
weight_interval = "0s"
check = {{ type = "push", token_file = "{folder}/push-token", deadline = "1m" }}
server = [{{ address = "10.0.0.1", weight = 10 }}, {{ address = "10.0.0.2" }}]

[service.others]
virtual = "192.168.7.113:80"
check = {{ type = "push", token_file = "{folder}/other-token" }}
server = [{{ address = "10.0.0.1" }}]
"""
REPORT = {"service": "jobs", "server": "10.0.0.1:80", "status": "pass"}


def pushed(site: ControlledSite) -> None:
    for name, token in (("push-token", TOKEN), ("other-token", OTHER_TOKEN)):
        (site.state_dir / name).write_text(token)
    site.write("pushed.toml", PUSHED.format(folder=site.state_dir))


@pytest.fixture
async def url(site: ControlledSite) -> AsyncIterator[str]:
    pushed(site)
    site.control(f'listen = ["127.0.0.1:0"]\ntokens_file = "{site.tokens()}"')
    async with site.running() as daemon:
        yield url_of(daemon)


@pytest.fixture
async def reporter(url: str) -> AsyncIterator[Client]:
    async with asking(url, TOKEN) as client:
        yield client


async def report(client: Client, **given: Any) -> tuple[int, Any]:
    answer = await client.post("report", REPORT | given)
    return answer.status, answer.json


async def test_a_report_is_an_outcome(reporter: Client, site: ControlledSite) -> None:
    """The server comes in by its first good one, has half its weight while degraded, and goes by a bad one."""
    status, told = await report(reporter, detail="backup done")
    assert (status, told) == (200, {"done": ["jobs/10.0.0.1:80/push: pass"], "edits": []})
    await site.until(lambda: "10.0.0.1:80 -m -w 10" in site.table)
    assert (await report(reporter, status="degraded"))[0] == 200
    await site.until(lambda: "10.0.0.1:80 -m -w 5" in site.table)
    assert (await report(reporter, weight=7))[0] == 200
    await site.until(lambda: "10.0.0.1:80 -m -w 7" in site.table)
    assert (await report(reporter, factor=2.0))[0] == 200
    await site.until(lambda: "10.0.0.1:80 -m -w 20" in site.table)
    assert (await report(reporter, status="fail", detail="disk\nfull " + "x" * 900))[0] == 200
    await site.until(lambda: "10.0.0.1:80 -m -w 0" in site.table)
    down = (await site.told("server_down")).text()
    assert 'L7STS reports fail: "disk\\nfull xxx' in down
    assert len(down) < 500


async def test_only_the_token_of_the_check_will_do(url: str) -> None:
    """Not another check's, nor an operator's; and a check that does not exist is refused as one that does."""
    for token in (OTHER_TOKEN, OPERATOR, READER, "x" * 20):
        async with asking(url, token) as client:
            for given in ({}, {"check": "tcp"}, {"server": "10.9.9.9:80"}, {"service": "web", "check": "always"}):
                status, answer = await report(client, **given)
                assert status == 401
                assert "is no push check, or this is not its token" in answer["error"]["messages"][0]
    async with asking(url) as client:
        assert (await client.post("report", REPORT)).messages == [
            "the token of the check is needed: Authorization: Bearer TOKEN"
        ]


async def test_the_token_is_good_for_nothing_else(reporter: Client) -> None:
    """It may neither ask nor tell."""
    paths = [route for route in ROUTES if route.role is not None and not route.path_names]
    for route in paths:
        given = await (
            reporter.get(route.path) if route.method == "GET" else reporter.post(route.path.removeprefix("/api/v1/"))
        )
        assert given.status == 401, route.path


async def test_by_the_socket_the_token_is_needed_too(url: str, site: ControlledSite) -> None:
    """Who may operate is somebody else than who may report."""
    assert url
    async with asking(site.socket) as client:
        assert (await report(client))[0] == 401
    async with asking(site.socket, TOKEN) as client:
        assert (await report(client))[0] == 200


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"status": "well"}, "status: expected one of pass, fail, degraded"),
        ({"weight": 65536}, "weight: expected a whole number from 0 to 65535"),
        ({"factor": -0.5}, "factor: expected a number from 0 to 65535"),
        ({"detail": "x" * 1001}, "detail: expected a string of at most 1000 characters"),
        ({"state": "pass"}, '"state": is not known; did you mean status?'),
    ],
)
async def test_what_is_no_report(reporter: Client, given: dict[str, Any], message: str) -> None:
    """Everything in it has a bound."""
    status, answer = await report(reporter, **given)
    assert (status, answer["error"]["messages"]) == (400, [message])


async def test_late_is_down(site: ControlledSite) -> None:
    """Whoever reports no more is found out by the deadline."""
    pushed(site)
    site.control('listen = ["127.0.0.1:0"]')
    clock = ManualClock()
    async with site.running() as daemon, asking(url_of(daemon), TOKEN) as client:
        daemon._parts.pushes._clock = clock
        assert (await report(client))[0] == 200
        await site.until(lambda: "10.0.0.1:80 -m -w 10" in site.table)
        await clock.advance(59.9)
        assert "10.0.0.1:80 -m -w 10" in site.table
        await clock.advance(0.1)
        await site.until(lambda: "10.0.0.1:80 -m -w 0" in site.table)
        down = [event.text() for event in site.events if event.kind == "server_down" and "10.0.0.1:80" in event.text()]
        assert "check push: L7TOUT no report for 60 s; one is due every 60 s" in down[0]
        assert (await report(client))[0] == 200
        await site.until(lambda: "10.0.0.1:80 -m -w 10" in site.table)


@pytest.mark.parametrize("workers", [0, 1])
def test_curl_and_a_real_daemon(site: ControlledSite, workers: int) -> None:
    """The line of the documentation. With worker processes reports go the same way; a restart forgets no verdict."""
    pushed(site)
    settings = site.folder / "00.toml"
    settings.write_text(settings.read_text().replace("[healthd]", f"[healthd]\nworkers = {workers}"))
    with Running("run", "-c", site.folder) as process:
        process.said("started")
        header = site.state_dir / "header"
        header.write_text(f"Authorization: Bearer {TOKEN}\n")
        done = curl(site.socket, "report", "-H", f"@{header}", "--json", json.dumps(REPORT | {"status": "fail"}))
        assert done["done"] == ["jobs/10.0.0.1:80/push: fail"]
        process.said("jobs: server 10.0.0.1:80 unknown -> down after 1 outcome of check push: L7STS reports fail")
        process.send(signal.SIGTERM)
        assert process.status() == 0
    with Running("run", "-c", site.folder) as process:
        process.said("started")
        assert [server["health"] for server in curl(site.socket, "services/jobs")["servers"]] == ["down", "unknown"]


def curl(path: Path, what: str, *options: str) -> Any:
    command = ["curl", "--silent", "--unix-socket", str(path), *options, f"http://localhost/api/v1/{what}"]
    return json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
