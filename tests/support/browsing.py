"""A director for the page's tests: `healthd run` as a process of its own, over real small servers, and a browser."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sys
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from healthd.demo.servers import SmallServer, three_servers
from tests.support.ports import free_port

PATIENCE = 60  # seconds that anything may take on a busy machine

TOKENS = {"operate": "anna-operates-with-this-token", "read": "rita-reads-with-this-token"}

SETTINGS = """
[healthd]
table = "memory"
state_dir = "{folder}/state"

[control]
socket = "{folder}/control.sock"
listen = ["127.0.0.1:{port}"]
{tokens}

[defaults]
interval = "1s"
fast_interval = "1s"
timeout = "20s"
fall = 2
rise = 2
"""
"""The servers are in the process of the tests: the timeout is long, as that may be held up on a busy machine."""
WEB = """
[service.web]
virtual = "192.0.2.10:80"
fallback = "127.0.0.1:80"
check = {{ type = "http", path = "/health", status = "200" }}
server = [{servers}]
"""


@dataclass
class Director:
    """`url` is where its page is; it stays the same when it is started again."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def configure(self, services: str, *, tokens: bool = True) -> None:
        (self.folder / "state").mkdir()
        (self.folder / "conf.d").mkdir()
        secrets = self.folder / "tokens"
        secrets.touch(mode=0o600)
        secrets.write_text(f"anna operate {TOKENS['operate']}\nrita read {TOKENS['read']}\n")
        line = f'tokens_file = "{secrets}"' if tokens else ""
        settings = SETTINGS.format(folder=self.folder, port=self.port, tokens=line)
        (self.folder / "conf.d" / "site.toml").write_text(settings + services)

    async def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "healthd", "run", "-c", str(self.folder / "conf.d"), stdout=log, stderr=log
            )
        async with asyncio.timeout(PATIENCE):
            while not await asyncio.to_thread(self._answers):
                if self.process.returncode is not None:
                    pytest.fail(f"healthd did not start:\n{(self.folder / 'log').read_text()}")
                await asyncio.sleep(0.05)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}healthz", timeout=PATIENCE) as answer:
            return bool(json.load(answer)["ok"])
        return False

    async def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await asyncio.wait_for(self.process.wait(), PATIENCE)

    async def until(self, state: str, servers: int) -> None:
        """Returns when so many are in this state, by what is told to programs."""
        async with asyncio.timeout(PATIENCE):
            while await asyncio.to_thread(self._totals, state) != servers:  # noqa: ASYNC110 - as a program would
                await asyncio.sleep(0.05)

    def _totals(self, state: str) -> int:
        headers = {"Authorization": f"Bearer {TOKENS['read']}"}
        request = urllib.request.Request(f"{self.url}api/v1/status?summary=1", headers=headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return int(json.load(answer)["totals"][state])


class Wire:
    """Another way to a port of this machine, which can be cut and mended."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._port = free_port()
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/"

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self._port)

    def cut(self) -> None:
        if self._server is not None:
            self._server.close()
        for end in self._ends:
            end.transport.abort()
        self._ends = set()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = self._ends
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        ends |= {writer, far_writer}
        if ends is not self._ends:  # it was cut meanwhile
            writer.transport.abort()
            far_writer.transport.abort()
        await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))
        ends -= {writer, far_writer}

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(65536):
                writer.write(piece)
                await writer.drain()
        writer.transport.abort()


def web(servers: Sequence[SmallServer]) -> str:
    """The configuration of one service with these servers."""
    entries = ", ".join(f'{{ address = "{each.address}", port = {each.port} }}' for each in servers)
    return WEB.format(servers=entries)


@asynccontextmanager
async def small_servers() -> AsyncIterator[list[SmallServer]]:
    servers = three_servers()
    try:
        for server in servers:
            await server.start()
        yield servers
    finally:
        for server in servers:
            server.stop()


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed (Debian: chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"], timeout=PATIENCE * 1000
        )
        yield browser
        await browser.close()


class Tab:
    """A page of a browser of its own, without a past, and everything that it complained about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.may_fail = False
        page.set_default_timeout(PATIENCE * 1000)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message: ConsoleMessage) -> None:
        # The browser itself logs that nobody answers, as when a director is stopped while the page asks it, and each
        # answer that is an error, which in some tests has to come.
        nobody = message.text.startswith("Failed to load resource: net::ERR_")
        expected = nobody or (self.may_fail and message.text.startswith("Failed to load resource"))
        if message.type in {"error", "warning"} and not expected:
            self.complaints.append(message.text)

    async def login(self, role: str) -> None:
        """Returns when the page follows the director's events: none that comes from then on is missed."""
        await self.page.get_by_label("Token").fill(TOKENS[role])
        async with self.page.expect_response("**/api/v1/events"):
            await self.page.get_by_role("dialog").get_by_role("button", name="Log in").click()
        await self.page.get_by_role("dialog").wait_for(state="detached")
