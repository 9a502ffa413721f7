"""The engine of every line protocol: a talk in commands and replies, and the checker that all such kinds derive from.

A kind says in `converse` what is asked, in its protocol's words; what is common to all is here. A reply that is not of
the protocol is L7RSP, and one that is, but says no, is L7STS.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar

from checkers import net
from checkers.base import Code, Failed, OptionError, Outcome, Phase, Target, passed, show
from checkers.passwords import password_of
from checkers.replies import LONGEST_LINE, MOST_LINES, Grammar, LineBuffer, MalformedError, Reply, single
from checkers.tls import TlsChecker

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
        reply = await self._reply("greeting", grammar or self._grammar)
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
        return await self._reply(doing, grammar or self._grammar)

    async def next_reply(self, good: Collection[str], doing: str) -> Reply:
        """A further reply to the same command."""
        self.settled = False
        return _judged(await self._reply(doing, self._grammar), good, doing)

    async def line(self, doing: str) -> bytes:
        """The next line, without its end."""
        self.target.trace.enter(_TALK, f"waiting for the answer: {doing}")
        return await self._line(doing)

    async def binary(self, count: int, doing: str) -> bytes:
        """The next `count` bytes, for a protocol that only begins in lines."""
        self.target.trace.enter(_TALK, f"waiting for the answer: {doing}")
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

    async def _reply(self, doing: str, grammar: Grammar) -> Reply:
        lines = [await self.line(doing)]
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


@dataclass(frozen=True, kw_only=True)
class LineChecker(TlsChecker):
    """The base of the line protocols: connects, has TLS from the beginning where asked, converses, and says goodbye.

    `greeting` is a text that must stand in what the server says first.
    """

    lean: ClassVar[bool] = True
    shared: ClassVar[bool] = True
    grammar = staticmethod(single)
    goodbye: ClassVar[bytes] = b"QUIT\r\n"

    greeting: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.greeting == "":
            raise OptionError("greeting", "must not be empty: leave it out to take any")

    async def check(self, target: Target) -> Outcome:
        async with net.connect(target) as stream:
            talk = Talk(stream, target, type(self).grammar)
            if self.tls:
                await talk.start_tls(self)
            try:
                await self.converse(talk)
            except Failed:
                await talk.farewell(self.goodbye)
                raise
            await talk.farewell(self.goodbye)
        return passed(Code.L7OK, str(talk))

    async def converse(self, talk: Talk) -> None:
        """All that is asked between connecting and goodbye.

        Raises:
            Failed: the server did not give the answers that it should.

        """
        raise NotImplementedError

    def judge_greeting(self, text: bytes) -> None:
        """Raises Failed if it is not the expected one."""
        if self.greeting is not None and self.greeting.encode() not in text:
            raise Failed(_L7RSP, f"greeted with {show(text)}; expected {show(self.greeting)} in it")


@dataclass(frozen=True, kw_only=True)
class LoginChecker(LineChecker):
    """The base of those with a login: `user` and `password_file`, and TLS after a command with `starttls`."""

    tls_switch: ClassVar[str] = "tls = true or starttls = true"

    starttls: bool = False
    user: str | None = None
    password_file: str | None = None

    _password: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tls and self.starttls:
            raise OptionError("starttls", "cannot stand beside tls = true: TLS is spoken from the beginning then")
        if self.user is not None and not (self.user and self.user.isprintable()):
            raise OptionError("user", "must not be empty, and may hold no control character")
        object.__setattr__(self, "_password", self.read_password())

    def read_password(self) -> bytes:
        """Raises OptionError where `user` and `password_file` do not go together."""
        return password_of(self.user, self.password_file)

    def may_use_tls(self) -> bool:
        return self.tls or self.starttls


def _judged(reply: Reply, good: Collection[str], doing: str) -> Reply:
    if reply.status not in good:
        raise Failed(Code.L7STS, f"{doing}: answered {reply}; expected {_either(good)}")
    return reply


def _either(good: Collection[str]) -> str:
    return " or ".join(sorted(good))
