"""The `dns` check against servers that answer what no server should."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

import pytest

from checkers.apart import apart
from checkers.base import Code, Outcome, Status, Target
from checkers.dns import Dns
from checkers.dnsreply import NotAnAnswer, Reply
from checkers.dnswire import Question
from checkers.waiting import Io
from tests.checkers.asking import ask, ask_once, in_task, longer, punctual
from tests.checkers.datagrams import flood, udp_server, udp_socket
from tests.checkers.servers import TcpServer


def reply(  # the parts of a message that a hostile server gets wrong
    query: bytes, records: bytes = b"", *, flags: int = 0x8180, questions: int = 1, answers: int | None = None
) -> bytes:
    count = (1 if records else 0) if answers is None else answers
    return query[:2] + struct.pack("!HHHHH", flags, questions, count, 0, 0) + query[12:] * questions + records


def record(kind: int, data: bytes) -> bytes:
    """A record whose owner is the name in the question."""
    return b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data


GOOD = record(1, socket.inet_aton("192.0.2.1"))
A = Dns(name="www.example.test", record="A")


def wrong_id(query: bytes) -> bytes:
    return bytes([query[0], query[1] ^ 1]) + reply(query, GOOD)[2:]


def loop(query: bytes) -> bytes:
    """The owner's name is a compression pointer to itself."""
    at = len(query)
    return reply(query, struct.pack("!H", 0xC000 | at) + GOOD[2:])


HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    "wrong id": wrong_id,
    "garbage": lambda _: b"\xff" * 40,
    "garbage after the right id": lambda query: query[:2] + b"\xff" * 40,
    "empty": lambda _: b"",
    "the query itself": lambda query: query,
    "no question": lambda query: reply(query, GOOD, questions=0),
    "two questions": lambda query: reply(query, GOOD, questions=2),
    "another question": lambda query: reply(query[:12] + b"\x03ftp" + query[16:], GOOD),
    "another type asked": lambda query: reply(query[:-3] + b"\x1c" + query[-2:], GOOD),
    "another opcode": lambda query: reply(query, GOOD, flags=0x9180),
    "compression loop": loop,
    "cut short": lambda query: reply(query, GOOD[:-2]),
    "more records announced": lambda query: reply(query, GOOD, answers=65535),
    "three bytes of address": lambda query: reply(query, record(1, b"\x01\x02\x03")),
    "oversize": lambda query: reply(query, GOOD + record(16, b"\xff" + b"x" * 255) * 220, answers=200),
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_datagram_that_does_not_answer_decides_nothing(hostile: Callable[[bytes], bytes]) -> None:
    """Forged or broken datagrams are passed over: alone they are no answer, and a good one after them counts."""
    async with udp_server(lambda query: [hostile(query)]) as (target, _):
        outcome = await ask(A, target, 0.2)
        assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7TOUT)
        assert "ignored so far: 1, the last: " in outcome.detail
    async with udp_server(lambda query: [hostile(query), hostile(query), reply(query, GOOD)]) as (target, _):
        assert (await ask(A, target)).detail == 'NOERROR, 1 A record, the first "192.0.2.1"'


def costly(query: bytes) -> bytes:
    """A hundred good records and then a broken one: it takes longer to read than to send."""
    return reply(query, GOOD * 100 + GOOD[:-1], answers=101)


async def test_endless_forgeries_do_not_outlast_the_deadline() -> None:
    """While forged datagrams come faster than they are read, the deadline still strikes, and says how many came."""

    async def flooded(seconds: float) -> Outcome:
        with udp_socket() as server, flood(server) as begin:
            asking = asyncio.create_task(in_task(A, Target(address="127.0.0.1", port=server.getsockname()[1]), seconds))
            query, sender = await asyncio.get_running_loop().sock_recvfrom(server, 512)
            begin(costly(query), sender)
            return await asking

    def many(outcome: Outcome) -> bool:
        _, told, number = outcome.detail.partition("so far: ")
        return bool(told) and int(number.partition(",")[0]) > 10

    outcome = await longer(lambda seconds: punctual(lambda: flooded(seconds)), 1, many)
    assert outcome.code == Code.L7TOUT
    assert many(outcome)


async def test_another_sender_is_not_heard() -> None:
    """A datagram from any address but the server's does not even reach the check."""
    with udp_socket() as server, udp_socket() as other:
        asking = asyncio.create_task(ask(A, Target(address="127.0.0.1", port=server.getsockname()[1]), 0.3))
        query, checker = await asyncio.get_running_loop().sock_recvfrom(server, 512)
        other.sendto(reply(query, GOOD), checker)
        outcome = await asking
    assert outcome.code == Code.L7TOUT
    assert "ignored" not in outcome.detail


async def test_silence() -> None:
    """A server that never answers is given up at the deadline."""
    async with udp_server(lambda _: []) as (target, queries):
        outcome = await ask_once(A, target, 0.2, again=queries.clear)
    assert str(outcome) == f"L7TOUT no result within 0.2 s while waiting for an answer from {target.where}"
    assert len(queries) == 1


async def test_every_query_has_its_own_id() -> None:
    """The id is drawn anew for every check; the rest of the query stays, with RD set unless it is not wanted."""
    async with udp_server(lambda query: [reply(query, GOOD)]) as (target, queries):
        for _ in range(8):
            await ask_once(A, target)
        await ask_once(Dns(name="www.example.test", record="A", recursion_desired=False), target)
    *first, last = queries
    assert len({query[:2] for query in first}) > 1
    assert {query[2:] for query in first} == {b"\1\0\0\1\0\0\0\0\0\0\3www\7example\4test\0\0\1\0\1"}
    assert last[2:4] == b"\0\0"


async def test_a_reply_like_the_last_is_still_held_against_the_query() -> None:
    """What a reply comes to is remembered without its id: that is looked at each time, and the rest to the last bit."""
    question = Question(name="www.example.test", record="A", rcode="NOERROR", expect=None, recursion_desired=True)
    first, second = question.wire(b"\0\1"), question.wire(b"\0\2")
    assert question.read(reply(first, GOOD), b"\0\1") is question.read(reply(second, GOOD), b"\0\2")
    with pytest.raises(NotAnAnswer, match="the id"):
        question.read(reply(first, GOOD), b"\0\2")
    other = record(1, socket.inet_aton("192.0.2.2"))
    assert question.read(reply(first, other), b"\0\1").records == ("192.0.2.2",)
    with pytest.raises(NotAnAnswer, match="malformed"):
        question.read(reply(first, GOOD[:-1]), b"\0\1")


async def test_an_error_may_come_as_a_bare_header() -> None:
    """A server that refuses before it reads the question sends none back; that is its answer."""
    async with udp_server(lambda query: [reply(query, flags=0x8185, questions=0)]) as (target, _):
        assert str(await ask(A, target)) == "L7STS www.example.test A: answered REFUSED, expected NOERROR"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (lambda query: struct.pack("!H", 40) + reply(query, GOOD)[:20], "closed after 20 of 40 bytes"),
        (lambda _: b"\0", "closed after 1 of 2 bytes"),
        (lambda _: b"\0\5hello", "a message of 5 bytes, less than a header"),
        (lambda query: struct.pack("!H", len(reply(query, GOOD))) + wrong_id(query), "the id is not that of the query"),
        (lambda query: struct.pack("!H", len(query)) + loop(query)[: len(query)], "malformed message"),
        (lambda _: b"\xff\xff" + b"x" * 65535, "an answer of 65535 bytes; healthd reads at most 16384"),
        (lambda query: struct.pack("!H", len(loop(query))) + loop(query), "malformed message (BadPointer)"),
    ],
)
async def test_broken_over_tcp(tcp_server: TcpServer, sent: Callable[[bytes], bytes], expected: str) -> None:
    """Over TCP nobody else can have sent it: an answer that is broken is the server's, and fails the check."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        writer.write(sent(await reader.readexactly(length)))

    address, port = await tcp_server(handler)
    checker = Dns(name="www.example.test", record="A", transport="tcp")
    outcome = await ask(checker, Target(address=address, port=port))
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7RSP)
    assert expected in outcome.detail


async def test_work_on_one_answer_is_bounded(tcp_server: TcpServer) -> None:
    """A thousand records that each name the same hundred labels are given up, not read to the end."""
    label_run = b"\1a" * 120 + b"\0"

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        query = await reader.readexactly(length)
        target = struct.pack("!H", 0xC000 | len(query) + 12)  # the run of labels in the first record's data
        many = (target + struct.pack("!HHIH", 2, 1, 60, 2) + target) * 1000
        message = reply(query, record(16, label_run) + many, answers=1001)
        writer.write(struct.pack("!H", len(message)) + message)

    address, port = await tcp_server(handler)
    checker = Dns(name="www.example.test", record="NS", transport="tcp")
    outcome = await ask(checker, Target(address=address, port=port))
    assert str(outcome) == "L7RSP no answer to the query: a malformed message (TooManyNames)"


@pytest.mark.parametrize(("answers", "threads"), [(10, 0), (200, 1)])
async def test_a_long_answer_is_read_apart(
    tcp_server: TcpServer, monkeypatch: pytest.MonkeyPatch, answers: int, threads: int
) -> None:
    """In a thread, while everything else goes on; one of usual length is read at once, which is less work."""
    apart_for: list[object] = []

    def counted(io: Io, call: Callable[[], Reply]) -> Awaitable[Reply]:
        apart_for.append(call)
        return apart(io, call)

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        query = await reader.readexactly(length)
        message = reply(query, GOOD * answers, answers=answers)
        writer.write(struct.pack("!H", len(message)) + message)

    monkeypatch.setattr("checkers.dnsask.apart", counted)
    address, port = await tcp_server(handler)
    checker = Dns(name="www.example.test", record="A", transport="tcp")
    outcome = await ask_once(checker, Target(address=address, port=port))
    assert str(outcome).startswith(f"L7OK NOERROR, {answers} A records")
    assert len(apart_for) == threads
