from __future__ import annotations

import functools
import re
import secrets
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from checkers import net
from checkers.base import Checker, Code, Failed, OptionError, Outcome, Phase, Target, passed, show
from checkers.dnsreply import NotAnAnswer, Reply

if TYPE_CHECKING:
    from checkers.dnswire import Question

_ANSWER_AT_MOST = 16384
"""Bytes of an answer. It is read record by record, during which nothing else runs; this keeps that below 0.1 s."""
_LENGTH = struct.Struct("!H")  # stands before each message over TCP (RFC 1035, section 4.2.2)


@dataclass(frozen=True, kw_only=True)
class Dns(Checker):
    """Passes when a DNS server answers a query with `rcode` and, where that is NOERROR, a record of the asked type.

    `expect` is the text of a record that must be in the answer; `expect_regex` is searched for in the text of each.
    Over UDP a truncated answer is asked for again over TCP.
    """

    default_port: ClassVar[int] = 53
    lean: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    name: str = "."
    record: str = "SOA"
    transport: Literal["udp", "tcp"] = "udp"
    rcode: str = "NOERROR"
    expect: str | None = None
    expect_regex: str | None = None
    recursion_desired: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        question = self._question
        if self.expect_regex is not None:
            try:
                re.compile(self.expect_regex)
            except re.error as error:
                raise OptionError("expect_regex", f"is not a regular expression: {error}") from error
        for option in ("expect", "expect_regex"):
            if getattr(self, option) is not None and question.rcode != "NOERROR":
                raise OptionError(option, f'can never be met with rcode = "{question.rcode}": leave one of them out')

    @functools.cached_property
    def _question(self) -> Question:
        from checkers.dnswire import Question  # noqa: PLC0415 - costs 0.1 s that only users of this kind should pay

        return Question(
            name=self.name,
            record=self.record,
            rcode=self.rcode,
            expect=self.expect,
            recursion_desired=self.recursion_desired,
        )

    async def check(self, target: Target) -> Outcome:
        if self.transport == "udp":
            reply = await self._ask_udp(target)
            if not reply.truncated:
                return self._judged(reply, "")
            return self._judged(await self._ask_tcp(target), ", over TCP because truncated over UDP")
        return self._judged(await self._ask_tcp(target), "")

    async def _ask_udp(self, target: Target) -> Reply:
        """The first datagram that answers the question. Others are passed over: anyone can forge a datagram."""
        number = secrets.token_bytes(2)
        ignored = 0
        async with net.Datagrams(target) as datagrams:
            await datagrams.send(self._question.wire(number))
            while True:
                message = await datagrams.receive(_ANSWER_AT_MOST)
                try:
                    return self._question.read(message, number)
                except NotAnAnswer as reason:
                    ignored += 1
                    text = f"waiting for an answer from {target.where}; ignored so far: {ignored}, the last: {reason}"
                    target.trace.enter(Phase.TALK, text)
                # Datagrams that are already there are received without a pause: let the deadline have its turn.
                await target.io.turn()

    async def _ask_tcp(self, target: Target) -> Reply:
        number = secrets.token_bytes(2)
        query = self._question.wire(number)
        async with net.connect(target) as stream:
            await stream.send(_LENGTH.pack(len(query)) + query)
            (length,) = _LENGTH.unpack(await _exactly(stream, _LENGTH.size))
            if length > _ANSWER_AT_MOST:
                raise Failed(Code.L7RSP, f"an answer of {length} bytes; healthd reads at most {_ANSWER_AT_MOST}")
            message = await _exactly(stream, length)
        try:
            return self._question.read(message, number)
        except NotAnAnswer as reason:
            raise Failed(Code.L7RSP, f"no answer to the query: {reason}") from reason

    def _judged(self, reply: Reply, how: str) -> Outcome:
        asked = self._question
        if reply.rcode != asked.rcode:
            raise Failed(Code.L7STS, f"answered {reply.rcode}, expected {asked.rcode}{how}")
        if asked.rcode != "NOERROR":
            return passed(Code.L7OK, f"{reply.rcode}{how}")
        if not reply.records:
            raise Failed(Code.L7RSP, f"no {asked.type} record in the answer ({reply.rcode}{how})")
        first, count = reply.records[0], len(reply.records)
        found = f"{count} {asked.type} record{'s' if count > 1 else ''}, the first {show(first)}{how}"
        if self.expect is not None and reply.matched is None:
            raise Failed(Code.L7RSP, f"none is {show(self.expect)}: {found}")
        if self.expect_regex is not None and not any(re.search(self.expect_regex, text) for text in reply.records):
            raise Failed(Code.L7RSP, f"none matches {show(self.expect_regex)}: {found}")
        return passed(Code.L7OK, f"{reply.rcode}, {found}")


async def _exactly(stream: net.Stream, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        data = await stream.receive(length - len(parts))
        if not data:
            raise Failed(Code.L7RSP, f"connection closed after {len(parts)} of {length} bytes of the answer")
        parts += data
    return bytes(parts)
