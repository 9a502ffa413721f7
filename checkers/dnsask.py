"""One DNS question to one server: over UDP, TCP (RFC 7766) or TLS (RFC 7858)."""

from __future__ import annotations

import functools
import secrets
import struct
from typing import TYPE_CHECKING

from checkers import net
from checkers.apart import apart
from checkers.base import Code, Failed, Phase, Target, show
from checkers.dnsreply import NotAnAnswer, Reply
from checkers.tls import TlsChecker
from checkers.waiting import Io

if TYPE_CHECKING:
    from checkers.dnswire import Question

ANSWER_AT_MOST = 16384
"""Bytes of an answer. It is read record by record, for some hundredths of a second at worst."""

_AT_ONCE = 2048
"""Bytes of one that is read while nothing else runs, for some thousandths; a longer one is read apart."""

_LENGTH = struct.Struct("!H")  # stands before each message over TCP (RFC 1035, section 4.2.2)


async def over_udp(question: Question, target: Target) -> Reply:
    """The first datagram that answers the question. Others are passed over: anyone can forge a datagram."""
    query = question.wire(secrets.token_bytes(2))
    ignored = 0
    async with net.Datagrams(target) as datagrams:
        await datagrams.send(query)
        while True:
            message = await datagrams.receive(ANSWER_AT_MOST)
            try:
                return await _read(question, message, query, target.io)
            except NotAnAnswer as reason:
                ignored += 1
                text = f"waiting for an answer from {target.where}; ignored so far: {ignored}, the last: {reason}"
                target.trace.enter(Phase.TALK, text)
            # Datagrams that are already there are received without a pause: let the deadline have its turn.
            await target.io.turn()


async def over_tcp(question: Question, target: Target, tls: TlsChecker) -> Reply:
    """The one answer; under TLS where `tls` says so, with the address as the server's name unless it has another."""
    query = question.wire(secrets.token_bytes(2))
    async with net.connect(target, speaks_first=True) as stream:
        if tls.tls:
            await tls.start_tls(stream, target.address)
        target.trace.enter(Phase.TALK, f"waiting for an answer from {target.where}")
        await stream.send(_LENGTH.pack(len(query)) + query)
        begins = await _exactly(stream, _LENGTH.size)
        (length,) = _LENGTH.unpack(begins)
        if length > ANSWER_AT_MOST:
            reads = f"an answer of {length} bytes; healthd reads at most {ANSWER_AT_MOST}"
            raise Failed(Code.L7RSP, f"{reads}; it begins with {show(begins)}")
        message = await _exactly(stream, length)
    try:
        return await _read(question, message, query, target.io)
    except NotAnAnswer as reason:
        raise Failed(Code.L7RSP, f"no answer to the query: {reason}") from reason


async def _read(question: Question, message: bytes, query: bytes, io: Io) -> Reply:
    if len(message) <= _AT_ONCE:
        return question.read(message, query)
    return await apart(io, functools.partial(question.read, message, query))


async def _exactly(stream: net.Stream, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        data = await stream.receive(length - len(parts))
        if not data and length == _LENGTH.size and not parts:
            raise Failed(Code.L7RSP, "connection closed without an answer")
        if not data:
            raise Failed(Code.L7RSP, f"connection closed after {len(parts)} of {length} bytes of the answer")
        parts += data
    return bytes(parts)
