"""One DNS question to one server: over UDP, TCP (RFC 7766) or TLS (RFC 7858)."""

from __future__ import annotations

import secrets
import struct
from typing import TYPE_CHECKING

from checkers import net
from checkers.base import Code, Failed, Phase, Target
from checkers.dnsreply import NotAnAnswer, Reply
from checkers.tls import TlsChecker

if TYPE_CHECKING:
    from checkers.dnswire import Question

ANSWER_AT_MOST = 16384
"""Bytes of an answer. It is read record by record, during which nothing else runs; this keeps that below 0.1 s."""

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
                return question.read(message, query)
            except NotAnAnswer as reason:
                ignored += 1
                text = f"waiting for an answer from {target.where}; ignored so far: {ignored}, the last: {reason}"
                target.trace.enter(Phase.TALK, text)
            # Datagrams that are already there are received without a pause: let the deadline have its turn.
            await target.io.turn()


async def over_tcp(question: Question, target: Target, tls: TlsChecker) -> Reply:
    """The one answer; under TLS where `tls` says so, with the address as the server's name unless it has another."""
    query = question.wire(secrets.token_bytes(2))
    async with net.connect(target) as stream:
        if tls.tls:
            await tls.start_tls(stream, target.address)
        await stream.send(_LENGTH.pack(len(query)) + query)
        (length,) = _LENGTH.unpack(await _exactly(stream, _LENGTH.size))
        if length > ANSWER_AT_MOST:
            raise Failed(Code.L7RSP, f"an answer of {length} bytes; healthd reads at most {ANSWER_AT_MOST}")
        message = await _exactly(stream, length)
    try:
        return question.read(message, query)
    except NotAnAnswer as reason:
        raise Failed(Code.L7RSP, f"no answer to the query: {reason}") from reason


async def _exactly(stream: net.Stream, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        data = await stream.receive(length - len(parts))
        if not data:
            raise Failed(Code.L7RSP, f"connection closed after {len(parts)} of {length} bytes of the answer")
        parts += data
    return bytes(parts)
