"""Every line protocol against servers that say too much, too little, or anything at all."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkers import net
from checkers.base import Code, Failed, Outcome, Status, Target
from checkers.ftp import Ftp
from checkers.imap import Imap
from checkers.lines import LineChecker
from checkers.nntp import Nntp
from checkers.pop3 import Pop3
from checkers.smtp import Lmtp, Smtp
from checkers.ssh import Ssh
from checkers.talk import Talk
from tests.checkers.asking import ask
from tests.checkers.servers import TcpServer
from tests.checkers.speaking import at, saying

PLAIN: dict[str, LineChecker] = {
    "ftp": Ftp(user="anonymous"),
    "imap": Imap(),
    "lmtp": Lmtp(rcpt_to="probe@example.com"),
    "nntp": Nntp(group="example.health"),
    "pop3": Pop3(),
    "smtp": Smtp(rcpt_to="probe@example.com"),
    "ssh": Ssh(),
}
every_kind = pytest.mark.parametrize("checker", PLAIN.values(), ids=PLAIN)

START = {
    "ftp": b"220-",
    "imap": b"* ",
    "nntp": b"200 ",
    "pop3": b"+OK ",
    "smtp": b"220-",
    "lmtp": b"220-",
    "ssh": b"SSH-2",
}


@every_kind
async def test_garbage(tcp_server: TcpServer, checker: LineChecker) -> None:
    """It is shown, printable."""
    outcome = await ask(checker, await at(tcp_server, saying(b"\x16\x03\x01\x00\xa5 \x1b[2J\n" * 300)))
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7RSP)
    assert r"\x16\x03\x01\x00" in outcome.detail
    assert outcome.detail.isprintable()


@every_kind
@pytest.mark.parametrize("greeted", [False, True])
async def test_endless_line(tcp_server: TcpServer, checker: LineChecker, greeted: bool) -> None:  # noqa: FBT001 - a parameter of pytest's
    """A line of a hundred megabytes is given up after four kilobytes, be it garbage or the beginning of a greeting."""
    name = next(name for name, kind in PLAIN.items() if kind is checker)
    parts = [START[name] if greeted else b"", *[b"x" * (1 << 20)] * 100]
    outcome = await ask(checker, await at(tcp_server, saying(*parts)))
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7RSP)
    assert "a line of more than 4096 bytes" in outcome.detail


@every_kind
async def test_endless_lines(tcp_server: TcpServer, checker: LineChecker) -> None:
    """A reply that never ends is given up after two hundred lines."""
    line = {Imap: b"* OK\r\n", Pop3: b"+OK\r\n", Nntp: b"200 ready\r\n", Ssh: b"hello\r\n"}.get(
        type(checker), b"220-x\r\n"
    )
    outcome = await ask(checker, await at(tcp_server, saying(*[line * 10_000] * 10)))
    if type(checker) in (Imap, Pop3):
        assert outcome.code == Code.L7OK  # the first line was the greeting, and no more was asked
    else:
        assert outcome.code in (Code.L7RSP, Code.L7STS)


async def test_a_long_reply(tcp_server: TcpServer) -> None:
    """It is given up after so many bytes, though it has few lines: each may hold thousands of words."""
    line = b"250-" + b"a " * 2000 + b"\r\n"
    outcome = await ask(Smtp(starttls=True), await at(tcp_server, saying(b"220 a\r\n", *[line] * 150, b"250 b\r\n")))
    assert str(outcome) == "L7RSP EHLO: a reply of more than 65536 bytes"


@every_kind
async def test_drip(tcp_server: TcpServer, checker: LineChecker) -> None:
    """Single bytes that keep coming do not put the deadline off."""
    outcome = await ask(checker, await at(tcp_server, saying(*[b"2"] * 10_000, pause=0.01)), 0.3)
    assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7TOUT)
    assert outcome.detail.startswith("no result within 0.3 s while waiting for the ")


@every_kind
async def test_early_close(tcp_server: TcpServer, checker: LineChecker) -> None:
    """Before a word, and in the midst of one."""

    async def silent(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        """Hangs up."""

    async def halting(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"22")

    first = await ask(checker, await at(tcp_server, silent))
    assert first.code == Code.L7RSP
    assert first.detail.endswith(": connection closed before the answer")
    second = await ask(checker, await at(tcp_server, halting))
    assert second.code == Code.L7RSP
    assert second.detail.endswith(': connection closed before the answer, received "22"')


class Peer:
    """A stream whose other side says one thing in pieces, whatever it hears."""

    tls = None

    def __init__(self, said: bytes, size: int) -> None:
        self._said = said
        self._size = size

    async def send(self, data: bytes) -> None:
        assert data

    async def receive(self, limit: int) -> bytes:
        size = min(limit, self._size)
        data, self._said = self._said[:size], self._said[size:]
        return data


def over(coroutine: Coroutine[Any, Any, None]) -> None:
    """Runs what never waits."""
    with pytest.raises(StopIteration):
        coroutine.send(None)


@pytest.mark.parametrize(
    ("port", "doing"), [(993, "greeting in the clear, on a port for tls = true"), (143, "greeting")]
)
def test_a_port_that_waits_for_tls(port: int, doing: str) -> None:
    """Such a server says nothing to who speaks in the clear, so the detail says it in its place."""
    target = Target(address="127.0.0.1", port=port)
    talk = Talk(cast("net.Stream", Peer(b"", 1)), target, Imap.grammar)
    with pytest.raises(Failed) as caught:
        Imap().converse(talk).send(None)
    assert target.trace.text == f"waiting for the {doing}"
    assert caught.value.outcome.detail == f"{doing}: connection closed before the answer"


WORDS = [
    b"220",
    b"250",
    b"+OK",
    b"-ERR",
    b"* OK",
    b"* BYE",
    b"331",
    b"200",
    b"211",
    b"SSH-2.0-x",
    b"login OK",
    b"-",
    b" ",
]
SAID = st.lists(st.sampled_from([*WORDS, b"\r\n", b"\n"]) | st.binary(max_size=20), max_size=40).map(b"".join)


@every_kind
@settings(max_examples=200)
@given(said=SAID, size=st.integers(1, 64))
def test_whatever_is_said(checker: LineChecker, said: bytes, size: int) -> None:
    """A talk passes or fails, with a detail that can be printed; nothing else comes out of it."""
    talk = Talk(cast("net.Stream", Peer(said, size)), Target(address="127.0.0.1", port=25), type(checker).grammar)
    try:
        over(checker.converse(talk))
    except Failed as failed:
        outcome: Outcome = failed.outcome
        assert outcome.code in (Code.L7RSP, Code.L7STS)
        assert outcome.detail.isprintable()
    else:
        assert str(talk).startswith("greeted with ")
