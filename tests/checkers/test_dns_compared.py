"""The serial of a zone, compared with that of another server: servers that say what a test wants."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from checkers.base import Code, OptionError, Outcome, Status
from checkers.dns import Dns
from tests.checkers.asking import ENOUGH, ask
from tests.checkers.datagrams import udp_server
from tests.support.ports import free_port

Answer = Callable[[bytes], list[bytes]]


def with_serial(serial: int) -> Answer:
    """A server with one SOA record, and nothing but roots in it."""
    data = b"\0\0" + struct.pack("!IIIII", serial, 1, 1, 1, 1)
    record = b"\xc0\x0c" + struct.pack("!HHIH", 6, 1, 60, len(data)) + data
    return lambda query: [query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + query[12:] + record]


def refusing(query: bytes) -> list[bytes]:
    return [query[:2] + struct.pack("!HHHHH", 0x8185, 1, 0, 0, 0) + query[12:]]


def empty(query: bytes) -> list[bytes]:
    return [query[:2] + struct.pack("!HHHHH", 0x8180, 1, 0, 0, 0) + query[12:]]


def silent(_: bytes) -> list[bytes]:
    return []


def garbage(query: bytes) -> list[bytes]:
    return [b"\xff" * 40, query, query[:2]]


async def compared(own: Answer, other: Answer, *, lag: int = 0, seconds: float = ENOUGH) -> tuple[Outcome, str]:
    """What comes of it, without what is said of the answer itself; and where the other server is."""
    async with udp_server(own) as (target, _), udp_server(other) as (elsewhere, _):
        outcome = await ask(Dns(serial_of=elsewhere.where, max_serial_lag=lag), target, seconds)
    return outcome, elsewhere.where


@pytest.mark.parametrize(
    ("own", "other", "lag", "status", "words"),
    [
        (7, 7, 0, Status.PASS, "serial 7, the same as {}"),
        (7, 8, 0, Status.FAIL, "serial 7 is 1 behind 8 of {}, max_serial_lag = 0: "),
        (7, 8, 1, Status.PASS, "serial 7, 1 behind {}"),
        (7, 9, 1, Status.FAIL, "serial 7 is 2 behind 9 of {}, max_serial_lag = 1: "),
        (9, 7, 0, Status.PASS, "serial 9, 2 ahead of {}"),
        (4294967295, 0, 0, Status.FAIL, "serial 4294967295 is 1 behind 0 of {}"),
        (4294967295, 0, 1, Status.PASS, "serial 4294967295, 1 behind {}"),
        (0, 2147483648, 2147483647, Status.FAIL, "serial 0 is not comparable with 2147483648 of {}"),
    ],
)
async def test_serials_are_compared(own: int, other: int, lag: int, status: Status, words: str) -> None:
    """As far behind as allowed passes, one more fails; RFC 1982 says which of two is the newer."""
    outcome, where = await compared(with_serial(own), with_serial(other), lag=lag)
    assert (outcome.status, outcome.code) == (status, Code.L7OK if status is Status.PASS else Code.L7RSP)
    assert words.format(where) in outcome.detail


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (refusing, ", not compared with {}: L7STS answered REFUSED, 0 SOA records"),
        (empty, ", not compared with {}: L7STS answered NOERROR, 0 SOA records"),
        (silent, ", asking {} for its own: no answer within 0.3 s"),
        (garbage, ", asking {} for its own: no answer within 0.3 s"),
    ],
)
async def test_the_other_server_decides_nothing_by_its_own_troubles(other: Answer, reason: str) -> None:
    """Whatever is wrong with it, this one has answered: it passes, if need be at the deadline."""
    outcome, where = await compared(with_serial(7), other, seconds=0.3)
    assert (outcome.status, outcome.code) == (Status.PASS, Code.L7OK)
    assert outcome.detail.endswith(f"; serial 7{reason.format(where)}")


async def test_the_servers_of_a_service_are_compared_with_each_other() -> None:
    """Each with all of the others, itself left out: the one that lags fails, though the others answer late or never."""
    async with (
        udp_server(with_serial(7)) as (stale, _),
        udp_server(with_serial(9)) as (fresh, _),
        udp_server(silent) as (dead, _),
    ):
        servers = (dead.where, stale.where, fresh.where)
        lagging = await ask(Dns(serial_of=servers), stale)
        assert (lagging.status, lagging.code) == (Status.FAIL, Code.L7RSP)
        assert lagging.detail.startswith(f"serial 7 is 2 behind 9 of {fresh.where}, max_serial_lag = 0: ")
        ahead = await ask(Dns(serial_of=servers[1:]), fresh)
        assert ahead.detail.endswith(f"; serial 9, 2 ahead of {stale.where}")
        allowed = await ask(Dns(serial_of=servers, max_serial_lag=2), stale, 0.3)
        assert allowed.status is Status.PASS
        asked = f"; serial 7, asking {dead.where}, {fresh.where} for their own: no answer within 0.3 s"
        assert allowed.detail.endswith(asked)


async def test_all_that_answer_are_told() -> None:
    """In the order of the option, be they well or not."""
    async with (
        udp_server(with_serial(7)) as (target, _),
        udp_server(with_serial(8)) as (newer, _),
        udp_server(refusing) as (other, _),
    ):
        outcome = await ask(Dns(serial_of=(newer.where, other.where), max_serial_lag=1), target)
    told = f"1 behind {newer.where}, not compared with {other.where}: L7STS answered REFUSED, 0 SOA records"
    assert outcome.detail.endswith(f"; serial 7, {told}")


def test_several_are_asked_by_tasks() -> None:
    """What has one socket at a time is lean, and what asks several at once says how many."""
    one, several = Dns(serial_of="192.0.2.1"), Dns(serial_of=("192.0.2.1", "192.0.2.2"))
    assert [(each.lean, each.questions) for each in (Dns(), one, several)] == [(True, 1), (True, 1), (False, 2)]
    with pytest.raises(OptionError, match="at most 16 servers, not 17"):
        Dns(serial_of=("192.0.2.1",) * 17)


async def test_a_closed_port_is_told() -> None:
    """The other server's error stands beside the answer of this one."""
    closed = f"127.0.0.1:{free_port()}"
    async with udp_server(with_serial(7)) as (target, _):
        outcome = await ask(Dns(serial_of=closed), target)
    assert outcome.status is Status.PASS
    assert (
        f"; serial 7, not compared with {closed}: L4CON waiting for an answer from {closed}: Connection"
        in outcome.detail
    )


@pytest.mark.parametrize(("own", "code"), [(silent, Code.L7TOUT), (refusing, Code.L7STS), (empty, Code.L7RSP)])
async def test_this_server_has_to_answer_first(own: Answer, code: str) -> None:
    """Its own failure is a failure, and the other one is not even asked."""
    async with udp_server(own) as (target, _), udp_server(with_serial(7)) as (elsewhere, asked):
        outcome = await ask(Dns(serial_of=elsewhere.where), target, 0.3)
    assert (outcome.status, outcome.code) == (Status.FAIL, code)
    assert asked == []


async def test_a_server_is_not_compared_with_itself() -> None:
    """One option serves all servers of a service, the one that it names included."""
    async with udp_server(with_serial(7)) as (target, asked):
        outcome = await ask(Dns(serial_of=target.where), target)
        assert "compared" not in outcome.detail
        assert len(asked) == 2  # once in a task and once in the engine
