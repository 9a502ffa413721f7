"""A talk in commands and replies: the engine of every line protocol.

A reply that is not of the protocol is L7RSP, and one that is, but says no, is L7STS.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from checkers import net
from checkers.base import Code, Failed, Phase, Target, show
from checkers.replies import LONGEST_LINE, LONGEST_REPLY, MOST_LINES, Grammar, LineBuffer, MalformedError, Reply
from checkers.tls import TlsChecker

TLS_PORTS = frozenset({465, 563, 990, 993, 995})
"""Where servers speak TLS from the beginning, and wait in silence for who does not: SMTP, NNTP, FTP, IMAP, POP3."""

_TALK, _L7RSP = Phase.TALK, Code.L7RSP  # looking up a member of an enum costs as much as a call


class Talk:
    """One connection, on which a command is sent and its reply read before the next.

    What was done so far is kept in words for the outcome's detail. No command is ever shown, since it may hold a
    password: `doing` names it.
    """

    def __init__(self, stream: net.Stream, target: Target, grammar: Grammar) -> None:
        self.target = target
        self.settled = False
        """The peer speaks the protocol and has answered all that it was asked, so it can be told goodbye."""
        self._stream = stream
        self._grammar = grammar
        self._buffer = LineBuffer()
        self._done: list[str] = []

    def __str__(self) -> str:
        return ", ".join(self._done)

    def note(self, done: str) -> None:
        """For the detail of an outcome: this, too, went well."""
        self._done.append(done)

    async def greeting(self, good: Collection[str], grammar: Grammar | None = None) -> Reply:
        """The server's first words, whose status must be one of `good`."""
        mistaken = self._stream.tls is None and self.target.port in TLS_PORTS
        doing = "greeting in the clear, on a port for tls = true" if mistaken else "greeting"
        reply = await self._reply(doing, grammar or self._grammar, doing)
        if reply.status not in good:
            raise Failed(Code.L7STS, f"greeted with {reply}; expected {_either(good)}")
        self.note(f"greeted with {show(reply.lines[-1])}")
        return reply

    async def ask(
        self, command: bytes, good: Collection[str], doing: str, *, grammar: Grammar | None = None, done: str = ""
    ) -> Reply:
        """The reply to `command`, whose status must be one of `good`; `done` is then noted."""
        reply = _judged(await self.answer(command, doing, grammar=grammar), good, doing)
        if done:
            self.note(done)
        return reply

    async def answer(self, command: bytes, doing: str, *, grammar: Grammar | None = None) -> Reply:
        """The reply to `command`, whatever its status."""
        await self.send(command + b"\r\n")
        return await self._reply(doing, grammar or self._grammar, f"answer to {doing}")

    async def next_reply(self, good: Collection[str], doing: str) -> Reply:
        """A further reply to the same command."""
        self.settled = False
        return _judged(await self._reply(doing, self._grammar, f"answer to {doing}"), good, doing)

    async def line(self, doing: str, awaited: str = "") -> bytes:
        """The next line, without its end. `awaited` is what it is part of; else `doing` is what is said unasked."""
        self.target.trace.enter(_TALK, f"waiting for the {awaited or doing}")
        return await self._line(doing)

    async def binary(self, count: int, doing: str) -> bytes:
        """The next `count` bytes, for a protocol that only begins in lines."""
        self.target.trace.enter(_TALK, f"waiting for the {doing}")
        while len(self._buffer.held) < count:
            await self._receive(doing)
        return self._buffer.take_bytes(count)

    async def send(self, data: bytes) -> None:
        """What is no command."""
        self.settled = False
        await self._stream.send(data)

    async def _receive(self, doing: str) -> None:
        data = await self._stream.receive(LONGEST_LINE)
        if not data:
            so_far = f", received {show(held)}" if (held := self._buffer.held) else ""
            raise Failed(_L7RSP, f"{doing}: connection closed before the answer{so_far}")
        self._buffer.feed(data)

    async def _line(self, doing: str) -> bytes:
        try:
            while (line := self._buffer.take()) is None:
                await self._receive(doing)
        except MalformedError as error:
            raise Failed(_L7RSP, f"{doing}: {error}") from error
        return line

    async def _reply(self, doing: str, grammar: Grammar, awaited: str) -> Reply:
        lines = [await self.line(doing, awaited)]
        room = LONGEST_REPLY - len(lines[0])
        while True:
            try:
                status = grammar(lines)
            except MalformedError as error:
                raise Failed(_L7RSP, f"{doing}: {error}") from error
            if status is not None:
                break
            if len(lines) == MOST_LINES:
                begins = f"which begins with {show(lines[0])}"
                raise Failed(_L7RSP, f"{doing}: a reply of more than {MOST_LINES} lines, {begins}")
            lines.append(await self._line(doing))
            room -= len(lines[-1])
            if room < 0:
                raise Failed(_L7RSP, f"{doing}: a reply of more than {LONGEST_REPLY} bytes")
        self.settled = True
        reply = Reply(status, tuple(lines))
        self.target.trace.note(f"answered {reply}")
        return reply

    async def start_tls(self, checker: TlsChecker) -> None:
        """TLS from here on.

        What was received before it would be taken for what the authenticated server says (CVE-2011-0411, there with
        the roles reversed; RFC 3207, section 6): a server, or somebody between, that sends it fails.
        """
        self.settled = False
        if held := self._buffer.held:
            raise Failed(_L7RSP, f"STARTTLS: text was injected before the TLS handshake: {show(held)}")
        await checker.start_tls(self._stream, self.target.address)
        self.note("TLS")

    async def start_tls_beside(self, checker: TlsChecker, stream: net.Stream) -> None:
        """TLS on a further connection to the same server, in the session of this one: many FTP servers insist on it."""
        await checker.start_tls(stream, self.target.address, resume=self._stream)

    async def farewell(self, words: bytes) -> None:
        """Says goodbye to a peer that has settled; its answer is not waited for, and is no part of the verdict."""
        if self.settled:
            with suppress(Failed):  # it has hung up already
                await self._stream.send(words)


def _judged(reply: Reply, good: Collection[str], doing: str) -> Reply:
    if reply.status not in good:
        raise Failed(Code.L7STS, f"{doing}: answered {reply}; expected {_either(good)}")
    return reply


def _either(good: Collection[str]) -> str:
    return " or ".join(sorted(good))
