from __future__ import annotations

import asyncio
import gc
import logging
import select
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path

import pytest

from checkers import net
from checkers.base import Checker, Code, Failed, Outcome, Status, Target, passed
from checkers.tcp import Tcp
from healthd.clock import ManualClock
from healthd.engine.lean import SLICE, Engine, Run

PATIENCE = 60  # seconds that the kernel may take on a busy machine

Body = Callable[[Target], Coroutine[object, object, object]]


@dataclass(frozen=True, kw_only=True)
class Scripted(Checker):
    """Does what the test says."""

    body: Body

    async def check(self, target: Target) -> Outcome:
        return await self.body(target)  # type: ignore[return-value] # what a plugin without types may do


class Bench:
    """An engine with a clock that stands still, a listener that accepts nothing, and what came out."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.ended: list[Outcome] = []
        self.engine: Engine[Run] = Engine(self.clock, lambda _, outcome: self.ended.append(outcome))
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=SLICE * 4)
        self.runs: list[Run] = []

    def run(self, checker: Checker | Body, seconds: float = 3) -> Run:
        if not isinstance(checker, Checker):
            checker = Scripted(body=checker)
        target = Target(address="127.0.0.1", port=self.listener.getsockname()[1], io=self.engine)
        self.runs.append(Run(checker, target, seconds))
        return self.runs[-1]

    def start(self, checker: Checker | Body, seconds: float = 3) -> Run:
        run = self.run(checker, seconds)
        self.engine.start(run, self.clock.monotonic())
        self.look()
        return run

    def look(self) -> None:
        """Looks when something has happened to a socket: even on loopback the kernel may take its time."""
        if self.engine._watches:
            assert select.select([self.engine._epoll.fileno()], [], [], PATIENCE)[0]
        self.engine.look()

    def until(self, happened: int) -> None:
        """Waits until all of that has happened to the one socket there is."""
        (watched,) = self.engine._watches
        poll = select.poll()
        poll.register(watched, happened)
        end = time.monotonic() + PATIENCE
        while not poll.poll(100) or poll.poll(0)[0][1] & happened != happened:
            assert time.monotonic() < end

    def close(self) -> None:
        for run in self.runs:
            self.engine.stop(run)
        self.engine.close()
        self.listener.close()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def open_files() -> int:
    gc.collect()  # what tests before have left is not to be closed in between
    return len(list(Path("/proc/self/fd").iterdir()))


async def silence(target: Target) -> object:
    """Waits for an answer that nobody gives."""
    async with net.connect(target) as stream:
        return await stream.receive(1)


async def test_a_check_that_passes_has_its_duration_measured(bench: Bench) -> None:
    """By the clock that the engine was given."""
    run = bench.run(silence)
    bench.engine.start(run, bench.clock.monotonic())
    bench.look()
    peer, _ = bench.listener.accept()
    bench.clock._now += 0.04
    peer.sendall(b"!")
    peer.close()
    bench.look()
    (outcome,) = bench.ended
    assert outcome.detail == "Scripted returned \"b'!'\", not an Outcome"
    assert outcome.seconds == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Failed(Code.L7RSP, "odd"), Status.FAIL, "L7RSP"),
        (ValueError("no"), Status.UNKNOWN, "CRASH"),
        (SystemExit(3), Status.UNKNOWN, "CRASH"),
        (asyncio.CancelledError(), Status.UNKNOWN, "CRASH"),
        (TimeoutError(), Status.UNKNOWN, "CRASH"),
    ],
)
async def test_no_exception_of_a_check_passes(bench: Bench, error: BaseException, status: Status, code: str) -> None:
    """What it means is the same as for a check in a task."""

    async def raising(_: Target) -> object:
        raise error

    bench.start(raising)
    assert [(outcome.status, outcome.code) for outcome in bench.ended] == [(status, code)]


@pytest.mark.parametrize("what", ["sleep", "future"])
async def test_awaiting_anything_else_is_a_crash(bench: Bench, caplog: pytest.LogCaptureFixture, what: str) -> None:
    """At once and with a word for the author; never a check that hangs without a reason."""

    async def foreign(_: Target) -> object:
        await (asyncio.sleep(0) if what == "sleep" else asyncio.get_running_loop().create_future())
        return None

    bench.start(foreign)
    assert bench.ended[0].code == "CRASH"
    assert "a lean check may await nothing but checkers.net" in bench.ended[0].detail
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_a_connection_that_the_server_has_ended_is_reset(bench: Bench) -> None:
    """So that it need not keep a TIME_WAIT of it."""
    bench.start(silence)
    peer, _ = bench.listener.accept()
    peer.sendall(b"!")
    peer.shutdown(socket.SHUT_WR)
    bench.until(select.POLLIN | select.POLLRDHUP)
    bench.engine.look()
    assert len(bench.ended) == 1
    peer.settimeout(PATIENCE)
    with peer, pytest.raises(ConnectionResetError):
        peer.recv(1)


async def test_a_connection_that_the_server_holds_open_is_ended_in_peace(bench: Bench) -> None:
    """Its program sees the end of the stream, and no error."""
    bench.start(silence)
    peer, _ = bench.listener.accept()
    peer.sendall(b"!")
    bench.look()
    assert len(bench.ended) == 1
    peer.settimeout(PATIENCE)
    with peer:
        assert peer.recv(1) == b""


async def test_the_deadline_ends_a_check_and_closes_its_socket(bench: Bench) -> None:
    """With the outcome that says what was being waited for."""
    before = open_files()
    bench.start(silence)
    assert open_files() == before + 1
    await bench.clock.advance(2.99)
    assert bench.ended == []
    await bench.clock.advance(0.02)
    assert [(outcome.status, outcome.code) for outcome in bench.ended] == [(Status.FAIL, "L7TOUT")]
    assert open_files() == before


async def test_a_check_that_goes_wrong_at_its_deadline_is_contained(bench: Bench) -> None:
    """Cleaning up is the checker's code too."""

    async def clumsy(target: Target) -> object:
        try:
            return await silence(target)
        finally:
            raise ValueError("no")

    bench.start(clumsy)
    await bench.clock.advance(3.1)
    assert [outcome.code for outcome in bench.ended] == ["CRASH"]


async def test_what_has_come_counts_before_the_deadline(bench: Bench) -> None:
    """An answer that lay unread when nobody looked is an answer, however long ago the deadline was."""

    async def answered(target: Target) -> object:
        await silence(target)
        return passed(Code.L7OK)

    bench.start(answered)
    peer, _ = bench.listener.accept()
    peer.sendall(b"!")
    peer.close()
    bench.clock._now += 60
    bench.look()
    assert [outcome.code for outcome in bench.ended] == ["L7OK"]


@pytest.mark.parametrize(("stopped", "status"), [(2.0, Status.UNKNOWN), (0.2, Status.FAIL)])
async def test_time_lost_in_the_midst_of_a_check_is_not_the_servers(
    bench: Bench, stopped: float, status: Status
) -> None:
    """The deadline itself may be seen in time: what counts is whether the server had its time. A tenth is allowed."""
    bench.start(silence)
    await bench.clock.advance(0.5)
    bench.clock._now += stopped
    await bench.clock.advance(3)
    assert [outcome.status for outcome in bench.ended] == [status]


async def test_a_stopped_check_has_no_outcome(bench: Bench) -> None:
    """And its socket is closed."""
    run = bench.start(silence)
    bench.engine.stop(run)
    await bench.clock.advance(10)
    assert bench.ended == []
    assert run.coroutine is None


async def test_a_run_can_be_started_again(bench: Bench) -> None:
    """What it had reached before is forgotten, and the deadline before does not strike it."""
    run = bench.start(Tcp(), seconds=1)
    assert [outcome.code for outcome in bench.ended] == ["L4OK"]
    await bench.clock.advance(0.9)
    run.checker = Scripted(body=silence)
    bench.engine.start(run, bench.clock.monotonic())
    bench.look()
    await bench.clock.advance(0.5)
    assert len(bench.ended) == 1
    await bench.clock.advance(0.6)
    assert [outcome.code for outcome in bench.ended] == ["L4OK", "L7TOUT"]


async def test_under_load_a_turn_has_an_end(bench: Bench) -> None:
    """No more than a slice goes on in one turn, the others in the next ones, and all before anything new begins."""
    for _ in range(SLICE * 2 + 1):
        bench.engine.start(bench.run(Tcp()), bench.clock.monotonic())
    for _ in bench.runs:  # whose connection has been taken, that one knows that it is there
        bench.listener.accept()[0].close()
    seen: list[int] = []
    while bench.engine.behind or not seen:
        bench.engine.look()
        seen.append(len(bench.ended))
    assert seen == [SLICE, SLICE * 2, SLICE * 2 + 1]


@pytest.mark.parametrize(
    ("many", "look", "status"),
    [(1, 0.02, Status.FAIL), (SLICE * 2, 0.02, Status.FAIL), (SLICE * 2, 0.06, Status.UNKNOWN)],
)
async def test_a_server_that_sends_without_end_keeps_nobody(
    bench: Bench, many: int, look: float, status: Status
) -> None:
    """More begins meanwhile, and silence is silence; only who gets his turn too seldom has lost time by that."""

    async def restless(target: Target) -> object:
        while True:
            assert target.io is not None
            await target.io.turn()

    for _ in range(many):
        bench.engine.start(bench.run(restless), bench.clock.monotonic())
    bench.engine.start(bench.run(silence), bench.clock.monotonic())
    behind = []
    while len(bench.ended) <= many:
        bench.engine.look()
        behind.append(bench.engine.behind)
        bench.clock._now += look
    assert {outcome.status for outcome in bench.ended} == {status}
    assert behind.count(False) >= len(behind) // 3


async def test_what_a_turn_closes_is_not_mistaken_for_what_it_opens(bench: Bench) -> None:
    """A descriptor's number is used again at once: the event of the old socket says nothing of the new one."""

    async def twice(target: Target) -> object:
        async with net.connect(target):
            pass
        async with net.connect(target) as stream:
            await stream.receive(1)
        return passed(Code.L7OK)

    runs = [bench.run(twice) for _ in range(3)]
    for run in runs:
        bench.engine.start(run, bench.clock.monotonic())
    for _ in range(5):
        bench.engine.look()
    assert bench.ended == []
