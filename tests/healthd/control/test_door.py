from __future__ import annotations

import os
import pwd

import pytest

from healthd.clock import ManualClock
from healthd.control.people import Users
from tests.healthd.control.conftest import OPERATOR, READER, ControlledSite, stepped, url
from tests.support.asking import Client, asking

DRAIN = {"servers": ["web/10.0.0.1:80"], "reason": "for a test"}


@pytest.mark.parametrize(
    ("token", "read", "operate", "who"),
    [(READER, 200, 403, "noc"), (OPERATOR, 200, 200, "alice"), ("x" * 20, 401, 401, ""), ("", 401, 401, "")],
)
async def test_what_a_token_allows(with_tokens: str, token: str, read: int, operate: int, who: str) -> None:
    """One with the role read may ask, one with operate may act, and without a known one nothing is told."""
    async with asking(with_tokens, token) as client:
        state = await client.get("/api/v1/status")
        assert state.status == read
        assert (await client.get("/metrics")).status in {read, 404}
        assert (await client.post("drain", DRAIN)).status == operate
        if read == 200:
            assert state.json["you"]["who"] == who
        else:
            assert state.headers["WWW-Authenticate"] == "Bearer"
            assert (await client.get("/healthz")).json == {"ok": True, "reasons": []}


@pytest.mark.parametrize("header", ["Basic bm9jOnJycg==", f"Bearer {READER}x", "Bearer", f"bearer  {READER[:-1]}", "é"])
async def test_what_is_no_token(with_tokens: str, header: str) -> None:
    """Anything else in the header is refused, and is no reason to fall back to something else."""
    async with asking(with_tokens) as client:
        answer = await client.get("/api/v1/status", Authorization=header)
        assert (answer.status, answer.messages) == (401, ["this token is not known"])


async def test_acts_are_in_the_audit_trail_with_who_and_why(site: ControlledSite) -> None:
    """By the token's name; an act by who may only read is there too, once a second at most."""
    site.control(f'listen = ["127.0.0.1:0"]\ntokens_file = "{site.tokens()}"')
    async with site.running() as daemon:
        await site.settled()
        clock = stepped(daemon)
        async with asking(url(daemon), OPERATOR) as client:
            assert (await client.post("drain", DRAIN)).status == 200
        began = (await site.told("drain_began")).record()
        assert (began["who"], began["reason"]) == ("alice", "for a test")
        async with asking(url(daemon), READER) as client:
            for _ in range(3):
                assert (await client.post("ready", DRAIN)).status == 403
            await clock.advance(1)
            assert (await client.post("thaw")).status == 403
        refused = [(await site.told("act_refused")).record() for _ in range(2)]
        assert [(event["who"], event["act"]) for event in refused] == [("noc", "ready"), ("noc", "thaw")]


async def test_without_tokens_loopback_is_read_only(site: ControlledSite) -> None:
    """Everybody on this machine may see what is going on, and nobody may change it that way."""
    site.control('listen = ["127.0.0.1:0"]')
    async with site.running() as daemon, asking(url(daemon)) as client:
        await site.settled()
        assert (await client.get("/api/v1/status")).json["you"]["role"] == "read"
        refused = await client.post("drain", DRAIN)
        assert (refused.status, refused.messages) == (403, ["anyone on this machine may read and not operate"])
        assert (await client.get("/api/v1/session")).json["login"] is False


async def test_tokens_are_read_again_at_a_reload(site: ControlledSite) -> None:
    """One that is taken out of the file ends at once, with the sessions that were begun with it; new ones begin."""
    site.control(f'listen = ["127.0.0.1:0"]\ntokens_file = "{site.tokens()}"')
    async with site.running() as daemon, asking(url(daemon)) as browser:
        login = await browser.post("login", {"token": OPERATOR})
        assert login.status == 200
        assert (await browser.get("/api/v1/session")).json["who"] == "alice"
        site.tokens("bob read " + "b" * 20)
        daemon.reload()
        await site.told("reloaded")
        assert (await browser.get("/api/v1/status")).status == 401
        async with asking(url(daemon), "b" * 20) as client:
            assert (await client.get("/api/v1/session")).json["who"] == "bob"


@pytest.fixture
async def login(with_tokens: str) -> dict[str, str]:
    """The headers of a page in a browser that has logged in: its cookie, and the token that its page knows."""
    async with asking(with_tokens) as browser:
        answer = await browser.post("login", {"token": OPERATOR})
        cookie = answer.headers["Set-Cookie"]
        assert {part.strip() for part in cookie.split(";")[1:]} == {"HttpOnly", "Path=/", "SameSite=Strict"}
        return {"Cookie": cookie.partition(";")[0], "X_CSRF_Token": answer.json["csrf"]}


async def test_a_browser_session(with_tokens: str, login: dict[str, str]) -> None:
    """The cookie is enough to see; to act the page has to send its token too, and after logging out neither helps."""
    async with asking(with_tokens) as client:
        cookie = {"Cookie": login["Cookie"]}
        state = await client.get("/api/v1/status", **cookie)
        assert state.json["you"] == {"who": "alice", "role": "operate", "csrf": login["X_CSRF_Token"]}
        assert (await client.post("drain", DRAIN, **cookie)).status == 403
        assert (await client.post("drain", DRAIN, **cookie, X_CSRF_Token="x")).status == 403
        assert (await client.post("drain", DRAIN, **login)).status == 200
        assert (await client.post("logout", **login)).status == 200
        assert (await client.get("/api/v1/status", **cookie)).status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
async def test_pages_of_other_sites_change_nothing(
    with_tokens: str, login: dict[str, str], headers: dict[str, str]
) -> None:
    """Whatever a browser may send along with it, neither an act nor a login is taken from another origin."""
    async with asking(with_tokens) as client:
        assert (await client.post("drain", DRAIN, **login, **headers)).status == 403
        assert (await client.post("login", {"token": OPERATOR}, **headers)).status == 403
        own = {"Origin": with_tokens, "Sec_Fetch_Site": "same-origin"}
        assert (await client.post("drain", DRAIN, **login, **own)).status == 200


async def test_names_that_are_not_ours(site: ControlledSite) -> None:
    """A foreign name that points here (DNS rebinding) gets no answer; names in the configuration do."""
    site.control('listen = ["127.0.0.1:0"]\nnames = ["director.example.com"]')
    async with site.running() as daemon, asking(url(daemon)) as client:
        for host in ("evil.example", "evil.example:9080", "192.0.2.1", "", "127.0.0.1.evil.example", "[::1]x", "a b"):
            assert (await client.get("/api/v1/status", Host=host)).status in {400, 403}, host
        for host in ("localhost", "127.0.0.1:9080", "[::1]", "Director.Example.com:443", "localhost."):
            assert (await client.get("/api/v1/status", Host=host)).status == 200, host


async def test_who_comes_by_the_socket(client: Client) -> None:
    """The kernel says which user it is; nobody else has to."""
    answer = await client.get("/api/v1/session", Authorization="Bearer nonsense", Host="whatever.example")
    assert answer.json == {"who": pwd.getpwuid(os.getuid()).pw_name, "role": "operate", "login": False}


async def test_users_without_names() -> None:
    """A user whose name nobody knows is told by the number."""

    def unknown(number: int) -> str:
        raise KeyError(number)

    assert await Users(ManualClock(), unknown).name(4711) == "uid 4711"
    assert await Users(ManualClock(), lambda number: f"user{number}").name(4711) == "user4711"
