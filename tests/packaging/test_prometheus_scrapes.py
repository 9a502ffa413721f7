"""A real Prometheus reads a real healthd, with the rules that are shipped."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from healthd.demo.servers import ADDRESSES, SmallServer
from tests.support.browsing import PATIENCE, TOKENS, WEB, Director
from tests.support.ports import free_port

RULES = Path(__file__).parents[2] / "packaging" / "prometheus" / "healthd.rules.yml"
CONFIGURATION = """
global: {{ scrape_interval: 1s, evaluation_interval: 1s }}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: healthd
    authorization: {{ credentials_file: "{token}" }}
    static_configs: [{{ targets: ["127.0.0.1:{port}"] }}]
"""


@asynccontextmanager
async def prometheus(folder: Path, director: Director) -> AsyncIterator[str]:
    """Its address, while it runs."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not installed")
    (folder / "token").write_text(TOKENS["read"])
    path = folder / "prometheus.yml"
    path.write_text(CONFIGURATION.format(rules=RULES, token=folder / "token", port=director.port))
    address = f"127.0.0.1:{free_port()}"
    options = (f"--config.file={path}", f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address={address}")
    with (folder / "prometheus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(program, *options, stdout=log, stderr=log)
    try:
        yield f"http://{address}"
    finally:
        process.terminate()
        await process.wait()


def found(url: str, query: str) -> list[dict[str, Any]]:
    try:
        question = f"{url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        with urllib.request.urlopen(question, timeout=5) as answer:
            result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
            return result
    except OSError:
        return []


async def until(url: str, query: str, value: str) -> list[dict[str, Any]]:
    """Returns what the query finds as soon as all of it, and something, has this value."""
    async with asyncio.timeout(PATIENCE):
        while True:
            result = await asyncio.to_thread(found, url, query)
            if result and all(each["value"][1] == value for each in result):
                return result
            await asyncio.sleep(0.1)


def three_servers() -> list[SmallServer]:
    """On a port that nobody else takes while one of them is stopped."""
    port, servers = free_port(), []
    for address in ADDRESSES:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        servers.append(SmallServer(sock))
    return servers


@pytest.mark.timeout(300)  # it waits for one thing after the other
async def test_prometheus_sees_a_server_go_and_come_back(tmp_path: Path) -> None:
    """By the token of the role read; what is told to people follows from it by the rules."""
    servers = three_servers()
    director = Director(tmp_path)
    tables = ", ".join(f'{{ address = "{server.address}", port = {server.port} }}' for server in servers)
    director.configure(WEB.format(servers=tables))
    try:
        for server in servers:
            await server.start()
        await director.start()
        async with prometheus(tmp_path, director) as url:
            assert len(await until(url, "healthd_realserver_up", "1")) == 3
            servers[0].stop()
            (down,) = await until(url, f'healthd_realserver_up{{server="{servers[0].name}"}}', "0")
            assert down["metric"]["service"] == "web"
            await until(url, 'healthd_service_available{service="web"}', "2")
            for server in servers[1:]:
                server.stop()
            (alert,) = await until(url, 'ALERTS{alertname="HealthdServiceLost",alertstate="firing"}', "1")
            assert alert["metric"]["severity"] == "critical"
            for server in servers:
                await server.start()
            await until(url, "healthd_realserver_up", "1")
            await until(url, "scrape_samples_scraped > bool 50", "1")
    finally:
        await director.stop()
        for server in servers:
            server.stop()
