"""Carries the datagrams of one exchange over HTTP/3, and tells it the time.

Runs on asyncio: QUIC says things again by its own timer.
"""

from __future__ import annotations

import asyncio

from checkers import net
from checkers.base import Phase, Target
from checkers.http3_exchange import Exchange
from checkers.http_fields import FieldsAnswer

_DATAGRAM_AT_MOST = 2048
"""A longer one is cut off, and so passed over. Nobody sends one but to find out how much the network carries, and each
is taken in one go, with perhaps a frame in every byte of it."""


async def carry_out(target: Target, exchange: Exchange, *, until: bytes, body_for: frozenset[int]) -> FieldsAnswer:
    """Sends the request and reads the answer; its body only with one of these statuses, and up to `until`, if given.

    Raises:
        Failed: there is no such answer.

    """
    loop = asyncio.get_running_loop()
    answer = exchange.answer
    async with net.Datagrams(target) as datagrams:
        target.trace.enter(Phase.TLS, f"shaking hands for QUIC with {target.where}")
        exchange.begin(loop.time())
        receiving = loop.create_task(datagrams.receive(_DATAGRAM_AT_MOST))
        try:
            while True:
                for datagram in exchange.outgoing(loop.time()):
                    await datagrams.send(datagram)
                if exchange.shaken and target.trace.phase is Phase.TLS:
                    target.trace.enter(Phase.TALK, "waiting for the answer")
                if answer.complete or (answer.status and answer.status not in body_for):
                    break
                if exchange.full or (until and until in answer.body):
                    break
                exchange.ensure_open()
                alarm = exchange.alarm
                wait = None if alarm is None else max(0.0, alarm - loop.time())
                done, _ = await asyncio.wait({receiving}, timeout=wait)
                if done:
                    exchange.feed(receiving.result(), loop.time())
                    receiving = loop.create_task(datagrams.receive(_DATAGRAM_AT_MOST))
                else:
                    exchange.strike(max(loop.time(), alarm or 0))
            exchange.close()
            for datagram in exchange.outgoing(loop.time()):
                await datagrams.send(datagram)
        finally:
            receiving.cancel()
            await asyncio.wait({receiving})
    return answer
