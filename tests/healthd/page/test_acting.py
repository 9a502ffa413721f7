"""Acting in a real browser: with a reason, after a confirmation, and only who may."""

import re

import pytest
from playwright.async_api import Page, expect

from healthd.demo.servers import SmallServer
from tests.healthd.page.conftest import Open
from tests.support.browsing import PATIENCE, Director

pytestmark = pytest.mark.asyncio(loop_scope="module")
expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture
def names(servers: list[SmallServer]) -> list[str]:
    return [server.name for server in servers]


def address(director: Director, server: str) -> str:
    return f"{director.url}#/web/{server.replace(':', '%3A')}"


async def at_server(visit: Open, director: Director, name: str, role: str, *, may_fail: bool = False) -> Page:
    """The view of one server, by its own address, once its state is there."""
    tab = await visit(address(director, name))
    tab.may_fail = may_fail
    await tab.login(role)
    await expect(tab.page.locator(".state")).to_have_text("up")
    return tab.page


async def go_on(page: Page, director: Director, name: str) -> None:
    """To the view of another server, once that is shown: the page itself stays."""
    await page.goto(address(director, name))
    await expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    await expect(page.locator(".state")).to_have_text("up")


async def do(page: Page, act: str, reason: str, **fields: str) -> None:
    await page.get_by_role("group", name="Acts").get_by_role("button", name=act).click()
    for label, text in fields.items():
        await page.get_by_role("textbox", name=label.replace("_", " ")).fill(text)
    await page.get_by_label("Reason").fill(reason)
    await page.get_by_role("dialog").get_by_role("button", name=act).click()


async def test_a_server_is_drained_and_brought_back(director: Director, visit: Open, names: list[str]) -> None:
    """Who and why are shown with it, until somebody ends it."""
    page = await at_server(visit, director, names[0], "operate")
    await do(page, "Drain", "kernel update")
    await expect(page.locator(".state")).to_have_text("drain")
    await expect(page.get_by_role("dialog")).to_have_count(0)  # an event may tell of it before the answer does
    await expect(page.locator(".facts")).to_contain_text("drain by anna")
    await expect(page.locator(".summary .reason")).to_contain_text("kernel update")
    await expect(page.get_by_role("status").filter(has_text="drained")).to_be_visible()
    await do(page, "Ready", "updated")
    await expect(page.locator(".state")).to_have_text("up")


async def test_a_refusal_is_shown_and_can_be_overruled(director: Director, visit: Open, names: list[str]) -> None:
    """The daemon's words, and the choice to do it all the same."""
    page = await at_server(visit, director, names[0], "operate", may_fail=True)
    for name in names[:2]:
        await go_on(page, director, name)
        await do(page, "Drain", "one after the other")
        await expect(page.locator(".state")).to_have_text("drain")
        await expect(page.get_by_role("dialog")).to_have_count(0)
    await go_on(page, director, names[2])
    await do(page, "Drain", "the last one")
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("alert")).to_contain_text("min_available")
    await dialog.get_by_role("button", name="Drain all the same").click()
    await expect(dialog).to_have_count(0)
    await expect(page.locator(".state")).to_have_text("drain")


async def test_maintenance_ends_by_itself(director: Director, visit: Open, names: list[str]) -> None:
    """It is shown until when; what is no duration is not sent."""
    page = await at_server(visit, director, names[0], "operate")
    await do(page, "Maintenance", "disk", Ends_by_itself_after="soon")
    await expect(page.get_by_role("alert").filter(has_text="is not a duration")).to_be_visible()
    await page.get_by_label("Ends by itself after").fill("1h30m")
    await page.get_by_role("dialog").get_by_role("button", name="Maintenance").click()
    await expect(page.locator(".state")).to_have_text(re.compile("^maintenance"))
    await expect(page.locator(".facts")).to_contain_text(re.compile(r"in 1 h (29|30) min"))


async def test_a_weight_is_set_and_checks_are_asked_for(director: Director, visit: Open, names: list[str]) -> None:
    """The new weight is shown beside the configured one."""
    page = await at_server(visit, director, names[0], "operate")
    await do(page, "Set weight", "slow start", Weight="0")
    await expect(page.locator(".facts")).to_contain_text("0 of 1")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.get_by_role("button", name="Check now").click()
    await expect(page.get_by_role("status").filter(has_text="check asked for")).to_be_visible()


async def test_who_may_only_read_is_offered_nothing(director: Director, visit: Open, names: list[str]) -> None:
    """No act is to be seen, and one that is sent all the same is refused by the daemon."""
    page = await at_server(visit, director, names[0], "read", may_fail=True)
    await expect(page.get_by_text("You are looking on")).to_be_visible()
    await expect(page.get_by_role("button", name="Drain")).to_have_count(0)
    status = await page.evaluate(
        """async (name) => {
          const { post } = await import("/static/api.js");
          return post("drain", { servers: [`web/${name}`], reason: "" }).then(() => 200, (error) => error.status);
        }""",
        names[0],
    )
    assert status == 403


async def test_a_session_alone_is_not_enough_to_act(director: Director, visit: Open, names: list[str]) -> None:
    """Another site could make the browser send the cookie, but not the token that only this page knows."""
    page = await at_server(visit, director, names[0], "operate", may_fail=True)
    status = await page.evaluate(
        """async (name) => (await fetch("/api/v1/drain", {
          method: "POST", headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ servers: [`web/${name}`] }),
        })).status""",
        names[0],
    )
    assert status == 403


async def test_everything_can_be_done_from_the_keyboard(director: Director, visit: Open, names: list[str]) -> None:
    """To a server, through a dialog, and back to where the keyboard was; a dialog that is left changes nothing."""
    tab = await visit(director.url)
    await tab.login("operate")
    page, press = tab.page, tab.page.keyboard.press
    await expect(page.get_by_role("link", name=names[0]).first).to_be_visible()
    await page.locator("#skip").focus()
    await press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()
    heading = page.get_by_role("button", name="web")
    while not await heading.evaluate("(node) => node === document.activeElement"):
        await press("Tab")
    await press("ArrowDown")
    await press("ArrowDown")
    await expect(page.get_by_role("link", name=names[1]).first).to_be_focused()
    await press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_be_focused()
    await press("Tab")
    await expect(page.get_by_role("button", name="Drain")).to_be_focused()
    await press("Enter")
    await expect(page.get_by_label("Cut what is left after")).to_be_focused()
    await press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_role("button", name="Drain")).to_be_focused()
    await press("Enter")
    await expect(page.get_by_label("Cut what is left after")).to_be_focused()
    await press("Tab")
    await page.keyboard.type("by keyboard")
    await press("Enter")
    await expect(page.locator(".state")).to_have_text("drain")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await press("Escape")
    await expect(page.get_by_role("link", name=names[1]).first).to_be_focused()
