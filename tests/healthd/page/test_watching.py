"""Looking at a director in a real browser: what is told of it, and how soon."""

import re

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from healthd.demo.servers import Mood, SmallServer
from tests.healthd.page.conftest import Open
from tests.support.browsing import PATIENCE, Director, Tab

pytestmark = pytest.mark.asyncio(loop_scope="module")
expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture
def names(servers: list[SmallServer]) -> list[str]:
    return [server.name for server in servers]


async def seen(tab: Tab, name: str, state: str) -> None:
    row = tab.page.get_by_role("row").filter(has_text=name)
    await expect(row.get_by_role("cell").first).to_have_text(re.compile(rf"^{state}\b"))


async def test_services_and_servers_are_seen_after_a_login(director: Director, visit: Open, names: list[str]) -> None:
    """Nothing is shown to who has no token; with one, every server with its state in a word."""
    tab = await visit(director.url)
    await expect(tab.page.get_by_role("dialog")).to_contain_text("Token")
    assert await tab.page.get_by_role("row").count() <= 1
    await tab.login("read")
    for name in names:
        await seen(tab, name, "up")
    await expect(tab.page.get_by_role("rowheader").first).to_contain_text("3 of 3 available")
    await expect(tab.page.locator("#pulse")).to_contain_text("live")


async def test_a_token_that_is_not_known_is_refused(director: Director, visit: Open) -> None:
    """In words, in the dialog, and it can be tried again; who waves it away is not asked over and over."""
    tab = await visit(director.url)
    tab.may_fail, page = True, tab.page
    await page.get_by_label("Token").fill("guessed")
    await page.get_by_role("dialog").get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("alert").filter(has_text="this token is not known")).to_be_visible()
    await page.get_by_role("button", name="Cancel").click()
    async with page.expect_response(lambda answer: "session" in answer.url):
        pass
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_role("banner").get_by_role("button", name="Log in")).to_be_visible()


async def test_a_transition_is_followed_live(
    director: Director, visit: Open, servers: list[SmallServer], names: list[str]
) -> None:
    """State, reason, totals, title and events change by themselves, and a screen reader is told."""
    tab = await visit(director.url)
    await tab.login("read")
    await seen(tab, names[1], "up")
    servers[1].mood = Mood.SICK
    await seen(tab, names[1], "down")
    row = tab.page.get_by_role("row").filter(has_text=names[1])
    await expect(row).to_contain_text("500")
    await expect(tab.page.get_by_role("button", name=re.compile("1 down"))).to_be_visible()
    await expect(tab.page).to_have_title(re.compile("1 down"))
    await expect(tab.page.locator("#announcer")).to_contain_text(f"server {names[1]} is down")
    await expect(tab.page.locator(".feed")).to_contain_text("server down")
    await expect(tab.page.locator("tr.server").first).to_contain_text(names[1])  # trouble comes first
    servers[1].mood = Mood.WELL
    await seen(tab, names[1], "up")


async def test_a_restart_of_the_daemon_is_survived(director: Director, visit: Open, names: list[str]) -> None:
    """While it is away the page says so, greys what it has, and counts its age; it goes on by itself."""
    tab = await visit(director.url)
    await tab.login("read")
    await seen(tab, names[0], "up")
    tab.may_fail = True
    await director.stop()
    outage = tab.page.get_by_role("alert").filter(has_text="cannot be reached")
    await expect(outage).to_contain_text(re.compile(r"What you see is \d+ s old"))
    await expect(tab.page.locator("body")).to_have_class(re.compile("stale"))
    await expect(tab.page.locator("#pulse")).to_contain_text("not live")
    await director.start()
    await tab.login("read")  # sessions end with the daemon
    await expect(outage).to_be_hidden()
    await expect(tab.page.locator("body")).not_to_have_class(re.compile("stale"))
    await expect(tab.page.get_by_text("healthd was started anew")).to_be_visible()
    await seen(tab, names[0], "up")


async def test_servers_are_found_by_text_and_state(
    director: Director, visit: Open, servers: list[SmallServer], names: list[str]
) -> None:
    """What does not match is not shown, and it is said how many do; Escape shows all again."""
    servers[2].mood = Mood.SICK
    tab = await visit(director.url)
    await tab.login("read")
    await seen(tab, names[2], "down")
    rows = tab.page.locator("tr.server")
    await tab.page.keyboard.press("/")
    await tab.page.keyboard.type(names[0])
    await expect(rows).to_have_count(1)
    await expect(tab.page.get_by_text("1 of 3 servers match")).to_be_visible()
    await tab.page.keyboard.press("Escape")
    await expect(rows).to_have_count(3)
    await tab.page.get_by_role("button", name=re.compile("down")).click()
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text(names[2])


async def test_the_wall_shows_everything_and_has_nothing_to_press(
    director: Director, visit: Open, servers: list[SmallServer], names: list[str]
) -> None:
    """Trouble, services, time and the age of the data, without a control; a login is taken over from the page."""
    servers[0].mood = Mood.SICK
    tab = await visit(director.url)
    await tab.login("read")
    await tab.page.goto(f"{director.url}?wall")
    page = tab.page
    await expect(page.get_by_role("heading", level=1)).to_have_text("1 down")
    await expect(page.locator(".trouble li")).to_contain_text(names[0])
    await expect(page.locator(".tiles li")).to_contain_text("2 of 3")
    await expect(page.locator(".clock")).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
    await expect(page.locator("#pulse")).to_contain_text("data")
    assert await page.locator("button:visible, input:visible").count() == 0


async def findings(page: Page) -> list[str]:
    """What axe has to say of the page as it is now."""
    answer = await Axe().run(page)
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in answer.response["violations"]]


async def looked_at(page: Page) -> list[str]:
    """What axe has to say in light and dark, on a desk and on a phone."""
    found: list[str] = []
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        for width in (390, 1280):
            await page.set_viewport_size({"width": width, "height": 900})
            found += await findings(page)
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, (
                "nothing is cut off at the side"
            )
    return found


async def test_the_page_is_accessible(
    director: Director, visit: Open, servers: list[SmallServer], names: list[str]
) -> None:
    """axe finds nothing in any view: names, roles, contrast, order."""
    servers[1].mood = Mood.SICK
    tab = await visit(director.url)
    await expect(tab.page.get_by_role("dialog")).to_be_visible()
    assert await looked_at(tab.page) == []
    await tab.login("operate")
    await seen(tab, names[1], "down")
    assert await looked_at(tab.page) == []
    await tab.page.get_by_role("link", name=names[1]).first.click()
    await expect(tab.page.locator(".why p").first).to_be_visible()
    assert await looked_at(tab.page) == []
    await tab.page.get_by_role("button", name="Drain").click()
    assert await looked_at(tab.page) == []
    await tab.page.goto(f"{director.url}?wall")
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text("1 down")
    assert await looked_at(tab.page) == []
