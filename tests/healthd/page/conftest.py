"""One browser for each file of tests, and a director of its own for each test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser

from healthd.demo.servers import SmallServer
from tests.support.browsing import Director, Tab, chromium, small_servers, web


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def servers() -> AsyncIterator[list[SmallServer]]:
    async with small_servers() as three:
        yield three


@pytest_asyncio.fixture(loop_scope="module")
async def bare(tmp_path: Path) -> AsyncIterator[Director]:
    """Neither configured nor started. It is stopped after the last tab has gone: what still asks then is told so."""
    director = Director(tmp_path)
    yield director
    await director.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def director(bare: Director, servers: list[SmallServer]) -> Director:
    """Runs over the three servers, which are up by now, and knows the tokens."""
    bare.configure(web(servers))
    await bare.start()
    await bare.until("up", len(servers))
    return bare


Open = Callable[..., Awaitable[Tab]]


@pytest_asyncio.fixture(loop_scope="module")
async def visit(browser: Browser, bare: Director) -> AsyncIterator[Open]:
    """`await visit(url, **context)`: a tab at this address. After the test none may have complained."""
    tabs: list[Tab] = []

    async def go(url: str, **context: object) -> Tab:
        page = await browser.new_page(**context)  # type: ignore[arg-type] # the options of a browser's context
        tabs.append(Tab(page))
        await page.goto(url)
        return tabs[-1]

    yield go
    for tab in tabs:
        await tab.page.context.close()
    assert [complaint for tab in tabs for complaint in tab.complaints] == []
