"""Parts of the page that decide something, run where they run: in a browser."""

import pytest
from playwright.async_api import Browser, Page, expect

from healthd.demo.servers import Mood, SmallServer
from tests.healthd.page.conftest import Open
from tests.support.browsing import PATIENCE, Director, Wire

pytestmark = pytest.mark.asyncio(loop_scope="module")
expect.set_options(timeout=PATIENCE * 1000)

STREAM = (
    ": ping\n\nid: 7\nevent: server_down\ndata: {\ndata: }\n\n"
    "retry: 2000\n\nid: 8\r\ndata: x\r\n\r\nevent: none\n\ndata: cut"
)


async def ran(browser: Browser, director: Director, body: str, given: object = None) -> object:
    """What an async function with this body returns, within the page."""
    page: Page = await browser.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    await page.goto(f"{director.url}static/icon.svg")
    try:
        return await page.evaluate(f"async (given) => {{ {body} }}", given)
    finally:
        await page.close()


@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_a_stream_is_understood_however_it_is_cut(browser: Browser, director: Director, size: int) -> None:
    """Pings and what has no data are no events, several lines of data are one text, and what is not ended waits."""
    pieces = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    body = """
        const { Parser } = await import("/static/stream.js");
        const parser = new Parser();
        return given.flatMap((text) => parser.feed(text));
    """
    assert await ran(browser, director, body, pieces) == [{"id": "7", "data": "{\n}"}, {"id": "8", "data": "x"}]


async def test_durations_are_read_as_the_configuration_has_them(browser: Browser, director: Director) -> None:
    """Seconds unless a unit is given, and null for what is none."""
    given = ["90", "90s", "5m", "2h", "1d", "1h30m", " 5M ", "", "soon", "1.5h", "-5m", "5m!"]
    body = 'const { seconds } = await import("/static/words.js"); return given.map(seconds);'
    read = await ran(browser, director, body, given)
    assert read == [90, 90, 300, 7200, 86400, 5400, 300, None, None, None, None, None]


async def test_what_is_degraded_says_so(browser: Browser, director: Director) -> None:
    """Beside the state, as being down is beside what an operator has set."""
    given = [
        {"state": "up", "health": "up", "degraded": True},
        {"state": "up", "health": "up", "degraded": True, "progress": "1/3"},
        {"state": "drain", "health": "up", "degraded": True},
        {"state": "drain", "health": "down", "degraded": False},
        {"state": "down", "health": "down", "degraded": False},
    ]
    body = 'const { stateWords } = await import("/static/words.js"); return given.map(stateWords);'
    assert await ran(browser, director, body, given) == [
        "up, degraded",
        "up, degraded, failing 1/3",
        "drain, degraded",
        "drain, down",
        "down",
    ]


async def test_since_when_it_is_so(browser: Browser, director: Director) -> None:
    """Held by an operator, or else found by its checks; a weight that was set holds nothing."""
    given = [
        {"since": 10, "override": None},
        {"since": 10, "override": {"admin": "drain", "since": 20}},
        {"since": 10, "override": {"admin": "ready", "since": 20}},
    ]
    body = 'const { stateSince } = await import("/static/words.js"); return given.map(stateSince);'
    assert await ran(browser, director, body, given) == [10, 20, 10]


async def test_states_over_time_come_from_the_events(browser: Browser, director: Director) -> None:
    """What was before the first is what it says was before; a drain stands above health until it is ended."""
    events = [
        {"at": 20, "kind": "server_down", "old": "up", "new": "down"},
        {"at": 30, "kind": "server_up", "old": "down", "new": "up"},
        {"at": 40, "kind": "drain_began"},
        {"at": 45, "kind": "server_down", "old": "up", "new": "down"},
        {"at": 50, "kind": "drain_ended", "cause": "done"},
        {"at": 60, "kind": "drain_ended", "cause": "ready"},
        {"at": 70, "kind": "maintenance_began"},
        {"at": 80, "kind": "maintenance_ended", "cause": "over"},
        {"at": 90, "kind": "server_up", "old": "unknown", "new": "up"},
        {"at": 95, "kind": "check_unknown"},
    ]
    body = 'const { spansOf } = await import("/static/charts.js"); return spansOf(given, 10, 100, "up");'
    spans = await ran(browser, director, body, events[::-1])
    assert isinstance(spans, list)
    assert [(span["from"], span["state"]) for span in spans] == [
        (10, "up"),
        (20, "down"),
        (30, "up"),
        (40, "drain"),
        (45, "drain"),
        (50, "drain"),
        (60, "down"),
        (70, "maintenance"),
        (80, "unknown"),
        (90, "up"),
    ]


async def test_what_happened_while_the_connection_was_lost_is_told_after_it(
    director: Director, visit: Open, servers: list[SmallServer]
) -> None:
    """The stream goes on after the last event that was seen."""
    async with Wire(director.port) as wire:
        tab = await visit(wire.url)
        await tab.login("read")
        feed = tab.page.locator(".feed")
        servers[0].mood = Mood.SICK
        await expect(feed).to_contain_text(f"server {servers[0].name} up -> down")
        tab.may_fail = True
        wire.cut()
        await expect(tab.page.get_by_role("alert").filter(has_text="cannot be reached")).to_be_visible()
        servers[1].mood = Mood.SICK
        await director.until("down", 2)
        await wire.mend()
        await expect(feed).to_contain_text(f"server {servers[1].name} up -> down")
