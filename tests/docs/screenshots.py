"""The pictures of docs/page.md: a real director over small servers, looked at in Chromium.

`python -m tests.docs.screenshots` takes them anew, in some minutes: latencies are drawn by the minute. They are large
then; `pngquant --force --ext .png 64 docs/images/*.png` makes them small.
"""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page

from healthd.demo.servers import Mood, SmallServer
from tests.support.browsing import TOKENS, Director, Tab, chromium
from tests.support.ports import free_port

IMAGES = Path(__file__).parents[2] / "docs" / "images"

WEB = """
[service.web]
virtual = "192.0.2.10:80"
scheduler = "wlc"
fallback = "127.0.0.1:80"
check = {{ type = "http", path = "/health", status = "200" }}
server = [{servers}]
"""
ALWAYS = """
[service.{name}]
virtual = "{virtual}"
protocol = "{protocol}"
scheduler = "rr"
fallback = "127.0.0.1:80"
check = {{ type = "always", state = "{state}" }}
server = [{servers}]
"""

SICK, DRAINED, WELL, SLOW, GONE = 1, 2, 3, 4, 5
"""Which of the servers of `web` stand for something."""

MINUTES = 4
"""How long the checks have gone on, so that there is something to be drawn."""

DESK: Mapping[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: Mapping[str, Any] = {
    "viewport": {"width": 390, "height": 760},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}


def configuration(servers: Sequence[SmallServer]) -> str:
    """One service that is looked at, one that is lost, and some that are well."""

    def always(name: str, virtual: str, *addresses: str, state: str = "up", protocol: str = "tcp") -> str:
        entries = ", ".join(f'{{ address = "{address}" }}' for address in addresses)
        return ALWAYS.format(name=name, virtual=virtual, protocol=protocol, state=state, servers=entries)

    entries = ", ".join(
        f'{{ address = "{one.address}", port = {one.port}, weight = {2 if number < 3 else 1} }}'
        for number, one in enumerate(servers)
    )
    return WEB.format(servers=entries) + "".join(
        (
            always("dns", "192.0.2.53:53", "10.2.0.1", "10.2.0.2", state="down", protocol="udp"),
            always("mail", "192.0.2.25:25", "10.3.0.1", "10.3.0.2"),
            always("shop", "192.0.2.11:443", *(f"10.4.0.{number}" for number in range(1, 41))),
            always("api", "192.0.2.12:443", *(f"10.5.0.{number}" for number in range(1, 5))),
        )
    )


def act(director: Director, name: str, **body: Any) -> None:
    request = urllib.request.Request(
        f"{director.url}api/v1/{name}",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {TOKENS['operate']}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10):
        pass


async def happen(director: Director, servers: Sequence[SmallServer]) -> None:
    """A few minutes in which one server turns sick, one is gone, and an operator is at work."""
    await asyncio.sleep(60)
    servers[SICK].mood = Mood.SICK
    servers[GONE].stop()
    await asyncio.sleep(30)
    servers[SICK].mood = Mood.WELL
    await asyncio.sleep(60 * MINUTES - 120)
    servers[SICK].mood = Mood.SICK
    names = [f"web/{one.name}" for one in servers]
    await asyncio.to_thread(act, director, "maintenance", servers=[names[GONE]], ttl=7200, reason="disk swap")
    await asyncio.to_thread(act, director, "drain", servers=[names[DRAINED]], reason="kernel update")
    await asyncio.to_thread(act, director, "weight", servers=[names[SLOW]], weight="50%", reason="slow start")
    await asyncio.sleep(30)


async def taken(browser: Browser, director: Director, servers: Sequence[SmallServer]) -> None:
    """Every picture, and at last that of a director who is not there."""
    sick = servers[SICK].name
    light = await visit(browser, director, color_scheme="light", **DESK)
    await shot(light, "light")
    await (await visit(browser, director, color_scheme="dark", **DESK)).screenshot(path=IMAGES / "page-dark.png")
    await shot(await visit(browser, director, color_scheme="light", **PHONE), "phone")
    await light.get_by_role("link", name=sick).first.click()
    await light.get_by_text("checks in 1 h").wait_for()
    await shot(light, "server", full_page=True)
    await light.goto(f"{director.url}#/web/{servers[WELL].name}")
    await light.get_by_role("button", name="Drain").click()
    await light.get_by_label("Reason").fill("new disk")
    await shot(light, "act")
    await light.goto(f"{director.url}?wall")
    await light.get_by_text("live, data").wait_for()
    await shot(light, "wall")
    away = await visit(browser, director, color_scheme="light", **DESK)
    await director.stop()
    await away.locator("#outage").wait_for()
    await asyncio.sleep(8)
    await shot(away, "unreachable")


async def visit(browser: Browser, director: Director, **context: Any) -> Page:
    tab = Tab(await browser.new_page(**context))
    await tab.page.goto(director.url)
    await tab.login("operate")
    await tab.page.get_by_text("192.0.2.10:80").first.wait_for()
    await tab.page.mouse.move(0, 0)
    return tab.page


async def shot(page: Page, name: str, **options: Any) -> None:
    await asyncio.sleep(1.5)  # what moves in comes to rest
    await page.screenshot(path=IMAGES / f"page-{name}.png", **options)


async def main() -> None:
    port = free_port()
    servers = [SmallServer(socket.create_server((f"127.0.1.{number}", port))) for number in range(1, 7)]
    with tempfile.TemporaryDirectory(prefix="healthd-docs-") as folder:
        director = Director(Path(folder))
        director.configure(configuration(servers))
        try:
            for server in servers:
                await server.start()
            await director.start()
            await happen(director, servers)
            async with chromium() as browser:
                await taken(browser, director, servers)
        finally:
            await director.stop()
            for server in servers:
                server.stop()


if __name__ == "__main__":
    asyncio.run(main())
