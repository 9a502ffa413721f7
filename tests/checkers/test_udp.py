"""The `udp` check: answers, silence, and what ICMP says, in namespaces of the tests' own where the kernel matters."""

import asyncio
from typing import Any

import pytest

from checkers.base import Code, OptionError, Status, Target
from checkers.udp import Udp
from tests.checkers.asking import ask, ask_once
from tests.checkers.datagrams import udp_server, udp_socket
from tests.checkers.namespace import as_root, in_namespace, lonely
from tests.support.ports import free_port


@pytest.mark.parametrize(
    ("options", "answer", "told"),
    [
        ({}, b"anything", 'L7OK received "anything"'),
        ({}, b"", 'L7OK received ""'),
        ({"send": "ping", "expect": "pong"}, b"a pong", 'L7OK received "a pong"'),
        (
            {"send_hex": "ff00", "expect_hex": "00 01", "match": "prefix"},
            b"\1\0\1",
            r'L7RSP 00 01 not found in the datagram, received "\x01\x00\x01"',
        ),
        ({"expect_regex": "^p.ng$"}, b"ping", 'L7OK received "ping"'),
        ({"silence": "pass", "expect": "pong"}, b"ping", 'L7RSP "pong" not found in the datagram, received "ping"'),
    ],
)
async def test_answers(options: dict[str, Any], answer: bytes, told: str) -> None:
    """Any answer passes unless something is expected of it, also where silence would pass."""
    checker = Udp(**options)
    async with udp_server(lambda _: [answer]) as (target, received):
        assert str(await ask(checker, target)) == told
    sent = bytes.fromhex(options["send_hex"]) if "send_hex" in options else options.get("send", "").encode()
    assert set(received) == {sent}


@pytest.mark.parametrize(
    ("silence", "status", "told"),
    [
        ("fail", Status.FAIL, "L7TOUT no result within 0.2 s while waiting for any answer from {}"),
        ("pass", Status.PASS, "L4OK silent for 0.2 s while waiting for an ICMP error from {}"),
    ],
)
async def test_silence(silence: Any, status: Status, told: str) -> None:
    """Nothing at all until the deadline is what the option says."""
    async with udp_server(lambda _: []) as (target, received):
        outcome = await ask(Udp(silence=silence), target, 0.2)
        assert received
    assert (outcome.status, str(outcome)) == (status, told.format(target.where))


@pytest.mark.parametrize("silence", ["fail", "pass"])
async def test_nobody_listens(silence: Any) -> None:
    """The ICMP error of a closed port fails at once, however silence is taken."""
    host, port = "127.0.0.1", free_port()
    outcome = await ask(Udp(silence=silence), Target(address=host, port=port))
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L4CON)
    assert outcome.detail == f"waiting for an answer from {host}:{port}: Connection refused (ECONNREFUSED)"


async def test_an_answer_from_elsewhere_is_none() -> None:
    """A datagram from another address or port than the one asked never reaches the check."""
    loop = asyncio.get_running_loop()
    with udp_socket() as other, udp_socket() as server:

        def forge() -> None:
            _, asker = server.recvfrom(100)
            other.sendto(b"pong", asker)
            forged.set()

        forged = asyncio.Event()
        loop.add_reader(server, forge)
        outcome = await ask_once(Udp(expect="pong"), Target(address="127.0.0.1", port=server.getsockname()[1]), 0.2)
        loop.remove_reader(server)
    assert forged.is_set()
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7TOUT)


@as_root
@pytest.mark.parametrize(
    ("near", "far", "family"), [("192.0.2.1/24", "192.0.2.9", "ipv4"), ("2001:db8::1/64", "2001:db8::9", "ipv6")]
)
def test_nobody_has_the_address(near: str, far: str, family: str) -> None:
    """A host that is gone is no silent one: what ARP or neighbour discovery says fails, though silence would pass."""

    async def talk() -> None:
        lonely(near, family)
        outcome = await ask(Udp(silence="pass"), Target(address=far, port=53))
        assert (outcome.status, outcome.code) == (Status.FAIL, Code.L4CON), outcome
        assert "EHOSTUNREACH" in outcome.detail

    in_namespace({}, talk)


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"match": "prefix"}, "match", "needs expect or expect_hex, whose place it tells"),
        ({"send": "a", "send_hex": "61"}, "send_hex", "cannot stand beside send: give one of the two"),
        ({"send": "a" * 65508}, "send", "must be at most 65507 bytes, the most that a datagram holds"),
        ({"expect": ""}, "expect", "must not be empty"),
    ],
)
def test_bad_options(options: dict[str, Any], option: str, message: str) -> None:
    """What cannot work is refused when the check is made."""
    with pytest.raises(OptionError) as caught:
        Udp(**options)
    assert (caught.value.option, str(caught.value)) == (option, message)
