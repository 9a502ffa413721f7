"""What peers send who mean no good, on real sockets, to a daemon whose checks have to go on."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from checkers.base import Outcome
from healthd import descriptors
from healthd.clock import SystemClock
from healthd.control import door, guard, speaking
from healthd.daemon import Daemon
from healthd.events import Stopped
from healthd.phases import Spent
from healthd.plan import Job
from tests.healthd.control.conftest import ControlledSite
from tests.support.asking import asking
from tests.support.daemons import PATIENCE

HEAD = b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n"
Peer = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(path: Path) -> AsyncIterator[Peer]:
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def ends(peer: Peer) -> bytes:
    """All that comes until the other end hangs up, which it has to."""
    async with asyncio.timeout(PATIENCE):
        try:
            return await peer[0].read()
        except ConnectionError:
            return b""


async def outcomes(daemon: Daemon, site: ControlledSite, number: int) -> None:
    """Returns when so many more outcomes of checks have come."""
    counted = 0
    record = daemon._parts.controller.record

    def counting(job: Job, outcome: Outcome, spent: Spent) -> bool:
        nonlocal counted
        counted += 1
        return record(job, outcome, spent)

    daemon._parts.scheduler._record = counting  # type: ignore[union-attr] # no workers here
    await site.until(lambda: counted >= number)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deadlines that there are, but short."""
    monkeypatch.setattr(speaking, "IDLE", 0.5)
    monkeypatch.setattr(door, "BODY_TIME", 0.5)
    monkeypatch.setattr(guard, "STALLED", 0.5)


@pytest.fixture
async def running(impatient: None, site: ControlledSite) -> AsyncIterator[Daemon]:
    async with site.running() as daemon:
        await site.settled()
        yield daemon


async def trickle(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Byte by byte, each of which might keep a careless server waiting."""
    for byte in data:
        writer.write(bytes([byte]))
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("sent", [b"", b"G", HEAD, HEAD + b"X-Long: " + b"y" * 2000])
async def test_a_head_has_to_be_whole_in_time(site: ControlledSite, running: Daemon, sent: bytes) -> None:
    """A connection that says nothing, or says it slowly (slow loris), is closed at its deadline; checks go on."""
    async with connected(site.socket) as peer:
        talking = asyncio.create_task(trickle(peer[1], sent))
        assert await ends(peer) == b""
        talking.cancel()
    await outcomes(running, site, 10)


async def test_a_body_has_to_come_in_time(site: ControlledSite, running: Daemon) -> None:
    """It is told that it was too slow, and the connection ends."""
    async with connected(site.socket) as peer:
        peer[1].write(b"POST /api/v1/thaw HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
        peer[1].write(b"Content-Length: 100\r\n\r\n{")
        answer = await ends(peer)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["status"] == "too_slow"


GARBAGE = [
    b"\0" * 1000,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    HEAD + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
    HEAD + b"".join(b"X%d: y\r\n" % number for number in range(5000)) + b"\r\n",
    b"POST /api/v1/thaw HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /api/v1/thaw HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/v1/thaw HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    random.Random(4).randbytes(20_000),
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
async def test_garbage(site: ControlledSite, running: Daemon, garbage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """What is no HTTP is refused, or nothing at all, the connection ends, and the log is not filled by it."""
    async with connected(site.socket) as peer:
        peer[1].write(garbage)
        answer = await ends(peer)
    assert answer == b"" or answer.split(b" ", 2)[1] in {b"400", b"404", b"413", b"415", b"408"}
    assert [record for record in caplog.records if record.exc_info] == []


async def test_half_closed(site: ControlledSite, running: Daemon) -> None:
    """Who closes their half is taken to be gone, and nothing of them stays behind."""
    async with connected(site.socket) as peer:
        peer[1].write(HEAD)
        peer[1].write_eof()
        assert await ends(peer) == b""
    crowd = running.interface._control._crowds[True]  # type: ignore[union-attr] # it listens
    await site.until(lambda: len(crowd) == 0)


async def test_requests_in_advance(site: ControlledSite, daemon: Daemon) -> None:
    """A thousand requests sent at one go are answered one after the other, as far as the answers are read."""
    async with connected(site.socket) as peer:
        request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        peer[1].write(request * 999 + request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert (await ends(peer)).count(b'{"ok": true') == 1000
    await outcomes(daemon, site, 10)


async def test_who_does_not_read(site: ControlledSite, running: Daemon) -> None:
    """A stream that nobody reads is cut off as soon as its buffers have been full for a while."""
    async with connected(site.socket) as (_, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined] # it is a transport that reads
        writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
        rooms = running.interface._control._rooms  # type: ignore[union-attr] # it listens
        await site.until(lambda: rooms.followers == 1)

        def flooded() -> bool:
            for _ in range(50):
                running.bus.publish(Stopped(at=0.0, reason="not really, " + "x" * 10_000))
            return rooms.followers == 0

        await site.until(flooded)


async def test_a_thousand_idle_connections(site: ControlledSite) -> None:
    """They cannot keep anybody out: who has been idle longest goes when somebody new comes. Checks go on."""
    async with site.running() as daemon:
        await site.settled()
        crowd = daemon.interface._control._crowds[True]  # type: ignore[union-attr] # it listens
        idle = [await asyncio.open_unix_connection(site.socket) for _ in range(1000)]
        try:
            async with asking(site.socket) as client:
                for _ in range(5):
                    assert (await client.get("/api/v1/status")).status == 200
            await site.until(lambda: len(crowd) <= crowd._most)
            assert crowd._most <= 256
            await outcomes(daemon, site, 20)
        finally:
            for _, writer in idle:
                writer.transport.abort()


async def test_one_address_has_only_a_part(site: ControlledSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """On TCP; and where everyone is busy, who comes on top is told to come later."""
    monkeypatch.setattr(descriptors, "for_peers", lambda: 8)
    site.control('listen = ["127.0.0.1:0"]')
    async with site.running() as daemon:
        host, _, port = next(place for place in daemon.interface.places if ":" in place).rpartition(":")
        streams = [await asyncio.open_connection(host, int(port)) for _ in range(2)]
        for reader, writer in streams:
            writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b" 200 " in await reader.readline()
        third = await asyncio.open_connection(host, int(port))
        assert (await ends(third)).startswith(b"HTTP/1.1 503 ")
        async with asking(site.socket) as client:
            assert (await client.get("/healthz")).status == 200
        for _, writer in (*streams, third):
            writer.transport.abort()


async def test_nothing_is_left_behind(site: ControlledSite, running: Daemon) -> None:
    """After many connections of every kind have come and gone, no task and no connection is left."""
    before = len(asyncio.all_tasks())
    dice = random.Random(5)
    clock = SystemClock()
    until = clock.monotonic() + 1
    while clock.monotonic() < until:
        async with connected(site.socket) as (_, writer):
            writer.write(dice.choice([*GARBAGE, HEAD + b"\r\n", HEAD]))
            await asyncio.sleep(dice.choice([0, 0.001, 0.01]))
    crowd = running.interface._control._crowds[True]  # type: ignore[union-attr] # it listens
    await site.until(lambda: len(crowd) == 0 and len(asyncio.all_tasks()) <= before + 2)
