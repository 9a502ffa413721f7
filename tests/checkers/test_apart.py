"""Calls in a thread that lean checks can wait for, and which searches are made so."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from checkers import http_judge, http_session, step
from checkers.apart import THREADS, apart
from checkers.base import Checker, Code, Failed, Outcome, Target, Unable, passed
from checkers.dialog import Dialog
from checkers.http import Http
from checkers.http_capture import Capture
from checkers.http_session import HttpSession
from checkers.http_step import HttpStep
from checkers.json_condition import JsonCondition
from checkers.pattern import INLINE_STEPS
from checkers.udp import Udp
from checkers.waiting import LOOP
from tests.checkers.asking import ask
from tests.checkers.datagrams import udp_server
from tests.checkers.leaks import nothing_left
from tests.checkers.servers import Canned, TcpServer

FORGETFUL = "a.{25}z"
"""RE2 has as many states for it as there are ways to place an a in 25 letters: it gives up its table of them."""

BODY = b"ab" * 100_000


@dataclass(frozen=True, kw_only=True)
class Elsewhere(Checker):
    """Passes if a call is made in another thread than this one."""

    needs_port: ClassVar[bool] = False
    lean: ClassVar[bool] = True

    async def check(self, target: Target) -> Outcome:
        here = threading.get_ident()
        if await apart(target.io, threading.get_ident) == here:
            raise Failed(Code.L7RSP, "here")
        return passed(Code.L7OK)


@pytest.fixture
async def threads() -> None:
    """All are there: they stay when a call is over."""
    together = threading.Barrier(THREADS)
    await asyncio.gather(*(apart(LOOP, together.wait) for _ in range(THREADS)))


async def test_a_call_is_made_in_another_thread(threads: None) -> None:
    """For a check with a task of its own, and for one without."""
    async with nothing_left():
        assert (await ask(Elsewhere(), Target(address="127.0.0.1"))).code == Code.L7OK


async def test_what_a_call_raises() -> None:
    """Is raised where it is waited for."""

    def broken() -> None:
        raise Failed(Code.L7RSP, "broken")

    with pytest.raises(Failed, match="broken"):
        await apart(LOOP, broken)


async def test_nobody_waits_any_more(threads: None) -> None:
    """The call goes on to its end, and leaves nothing behind."""
    async with nothing_left():
        go_on, ended = threading.Event(), threading.Event()

        def slow() -> None:
            go_on.wait()
            ended.set()

        waiting = asyncio.ensure_future(apart(LOOP, slow))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        go_on.set()
        await asyncio.get_running_loop().run_in_executor(None, ended.wait)
        await asyncio.get_running_loop().shutdown_default_executor()


async def test_no_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault is this machine's."""

    def none_left() -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("checkers.apart.socket.socketpair", none_left)
    with pytest.raises(Unable, match="SOCKERR opening a pair of sockets"):
        await apart(LOOP, int)


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was done apart."""
    calls: list[Any] = []

    async def recorded(io: Any, call: Any) -> Any:
        calls.append(call)
        return await apart(io, call)

    monkeypatch.setattr(http_judge, "apart", recorded)
    monkeypatch.setattr(http_session, "apart", recorded)
    monkeypatch.setattr(step, "apart", recorded)
    return calls


@pytest.mark.parametrize(
    ("checker", "body", "times"),
    [
        (Http(expect_regex=FORGETFUL), BODY, 1),
        (Http(expect_regex=FORGETFUL), BODY[:1000], 0),
        (Http(expect_regex="ab"), BODY[:50_000], 0),
        (Http(expect="ba"), BODY, 0),
        (Http(json=(JsonCondition(path="$", operator="matches", value=FORGETFUL),)), b'"%s"' % BODY, 1),
        (HttpSession(steps=(HttpStep(path="/", expect_regex=FORGETFUL),)), BODY, 1),
        (HttpSession(steps=(HttpStep(path="/", capture={"x": Capture(regex="(b.{25}b)")}),)), BODY, 1),
        (HttpSession(steps=(HttpStep(path="/", capture={"x": Capture(regex="(ab)")}),)), BODY[:50_000], 0),
    ],
)
async def test_a_search_that_may_take_long(
    tcp_server: TcpServer, searched: list[Any], checker: Checker, body: bytes, times: int
) -> None:
    """It is made apart if there are more bytes than may be looked through while everything else waits."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    host, port = await tcp_server(handler)
    await ask(checker, Target(address=host, port=port))
    assert len(searched) == 2 * times  # in a task, and in the engine


@pytest.mark.parametrize(("length", "long"), [(60_000, True), (1000, False)])
async def test_a_step_of_a_dialogue_that_may_take_long(
    tcp_server: TcpServer, searched: list[Any], *, length: int, long: bool
) -> None:
    """Likewise, however the answer comes in pieces."""
    host, port = await tcp_server(Canned(BODY[:length]))
    await ask(Dialog(send="?\r\n\r\n", expect_regex=FORGETFUL), Target(address=host, port=port))
    assert bool(searched) is long


async def test_a_datagram_that_may_take_long(searched: list[Any]) -> None:
    """Likewise."""
    async with udp_server(lambda _: [BODY[:60_000]]) as (target, _):
        await ask(Udp(send="?", expect_regex=FORGETFUL), target)
    assert len(searched) == 2


def test_the_bound_is_of_steps() -> None:
    """Those of all expressions about one answer, and those in its head are taken to be long."""
    plain, more = (
        Http(expect_regex="ab")._expectation,
        Http(expect_regex="ab", expect_header={"X": "x{30}"})._expectation,
    )
    assert plain.regex is not None
    assert plain.at_once * plain.regex.steps <= INLINE_STEPS < (plain.at_once + 1) * plain.regex.steps
    assert more.at_once < plain.at_once
    assert Http(expect="x")._expectation.at_once == 262144
