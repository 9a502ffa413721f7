"""A thousand servers, a hostile one, and the past of one, in a real browser."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from healthd.demo.servers import SmallServer
from tests.healthd.page.conftest import Open
from tests.support.browsing import PATIENCE, Director, web

pytestmark = pytest.mark.asyncio(loop_scope="module")
expect.set_options(timeout=PATIENCE * 1000)

MANY = """
[service.svc{number:02}]
virtual = "192.0.2.{number}:443"
check = {{ type = "always", interval = "10s" }}
server = [{servers}]
"""


async def test_a_thousand_servers_are_shown_at_once(bare: Director, visit: Open) -> None:
    """Services that are well are folded, so that trouble stands out and the browser has little to do."""
    entry = '{{ address = "10.{0}.0.{1}" }}'.format
    services = (
        MANY.format(number=number, servers=", ".join(entry(number, server) for server in range(1, 41)))
        for number in range(1, 26)
    )
    bare.configure("".join(services), tokens=False)
    await bare.start()
    page = (await visit(bare.url)).page
    await expect(page.locator(".sum")).to_have_text("25 services, 1,000 servers")
    await expect(page.get_by_role("button", name="1,000 up")).to_be_visible()
    await expect(page.locator("tr.server")).to_have_count(0)
    await page.get_by_role("button", name="svc07").click()
    await expect(page.locator("tr.server")).to_have_count(40)
    await page.get_by_label("Filter services").fill("10.9.0.7:")
    await expect(page.locator("tr.server")).to_have_count(1)


async def test_what_a_server_says_is_only_text(
    bare: Director, tmp_path: Path, visit: Open, servers: list[SmallServer]
) -> None:
    """A server that answers with markup is shown to have answered with markup."""
    hostile = '<img src=x onerror="document.title=1"><b>bold</b>'
    script = tmp_path / "hostile"
    script.write_text(f"#!/bin/sh\necho '{hostile}'\nexit 1\n")
    script.chmod(0o755)
    service = web(servers[:1])
    command = f'check = {{ type = "command", command = ["{script}"] }}'
    bare.configure(re.sub("check = .*", lambda _: command, service), tokens=False)
    await bare.start()
    page = (await visit(f"{bare.url}#/web/{servers[0].name.replace(':', '%3A')}")).page
    await expect(page.locator(".checks")).to_contain_text(hostile)
    assert await page.locator("main img, main b:text-is('bold')").count() == 0


async def test_the_past_of_a_server_is_drawn(director: Director, visit: Open, servers: list[SmallServer]) -> None:
    """Its latency in words too, its state over time, what was found, and what happened to it, with edits."""
    tab = await visit(f"{director.url}#/web/{servers[0].name.replace(':', '%3A')}")
    await tab.login("read")
    page = tab.page
    await expect(page.locator(".latency figcaption")).to_have_text(re.compile(r"checks? in 1 h|No check is on record"))
    await expect(page.locator(".plot canvas")).to_be_visible()
    await expect(page.locator(".checks")).to_contain_text("L7OK")
    await expect(page.locator(".why")).to_contain_text("is up since")
    past = page.locator(".detail .feed li")
    await expect(past.nth(0)).to_contain_text("table edited")
    await expect(past.nth(1)).to_contain_text("server admitted")
    await page.get_by_role("button", name="30 d").click()
    await expect(page.locator(".latency figcaption")).to_have_text(re.compile("30 d"))
    for theme in ("light", "dark", "system"):
        await page.get_by_role("button", name="Theme").click()
        await expect(page.get_by_role("button", name="Theme")).to_have_text(f"Theme: {theme}")
    await expect(page.locator(".plot canvas")).to_be_visible()
