from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from checkers import net
from checkers.base import Code, Failed, OptionError, Outcome, Phase, Target, passed
from checkers.datagrams import HearingDatagrams
from checkers.sip_message import BODY_AT_MOST, NotAResponseError, Response, Transaction, options_request, read, take
from checkers.statuses import accepted_statuses
from checkers.tls import TlsChecker

READ_AT_MOST = 4 * BODY_AT_MOST
"""Bytes from a stream in one check, in provisional responses and in line ends between them too."""

_URI = re.compile(r"sips?:[!-~]+")


@dataclass(frozen=True, kw_only=True)
class Sip(TlsChecker):
    """Passes when a SIP server answers OPTIONS with one of the good statuses.

    `uri` is what is asked for: without it the server itself, by its address. Provisional responses are waited over, and
    what is no response to this very request is passed over.
    """

    default_port: ClassVar[int] = 5060
    lean: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    transport: Literal["udp", "tcp"] = "udp"
    uri: str | None = None
    status: str = "200"

    _accepted: frozenset[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tls and self.transport == "udp":
            raise OptionError("tls", 'needs transport = "tcp"')
        if self.uri is not None and not _URI.fullmatch(self.uri):
            raise OptionError("uri", f'expected one such as "sip:ping@example.com", not "{self.uri}"')
        object.__setattr__(self, "_accepted", accepted_statuses(self.status))

    async def check(self, target: Target) -> Outcome:
        transaction = Transaction.of(secrets.token_hex(24))
        response = await (self._by_tcp if self.transport == "tcp" else self._by_udp)(target, transaction)
        if response.status not in self._accepted:
            raise Failed(Code.L7STS, f"answered {response}; expected status {self.status}")
        return passed(Code.L7OK, f"answered {response}")

    async def _by_udp(self, target: Target, transaction: Transaction) -> Response:
        """The first final response. Datagrams that are none to this request are passed over: anyone can forge one."""
        ignored = 0
        async with HearingDatagrams(target) as datagrams:
            await datagrams.send(self._request(target, transaction, "UDP", datagrams.local()))
            while True:
                message = await datagrams.receive(BODY_AT_MOST)
                try:
                    response = read(message, transaction)
                    if response.status >= 200:
                        return response
                    target.trace.enter(Phase.TALK, f"waiting for more than {response}")
                except NotAResponseError as reason:
                    ignored += 1
                    text = f"waiting for an answer from {target.where}; ignored so far: {ignored}, the last: {reason}"
                    target.trace.enter(Phase.TALK, text)
                # Datagrams that are already there are received without a pause: let the deadline have its turn.
                await target.io.turn()

    async def _by_tcp(self, target: Target, transaction: Transaction) -> Response:
        async with net.connect(target, speaks_first=True) as stream:
            if self.tls:
                await self.start_tls(stream, target.address)
            request = self._request(target, transaction, "TLS" if self.tls else "TCP", stream.local())
            await stream.send(request)
            target.trace.enter(Phase.TALK, "waiting for the answer to OPTIONS")
            received, left = b"", READ_AT_MOST
            while True:
                try:
                    taken = take(received, transaction)
                except NotAResponseError as error:
                    raise Failed(Code.L7RSP, f"no answer to OPTIONS: {error}") from error
                if taken is not None and taken[0].status >= 200:
                    return taken[0]
                if taken is not None:
                    target.trace.enter(Phase.TALK, f"waiting for more than {taken[0]}")
                    received = taken[1]
                    await target.io.turn()  # many may have come with it
                    continue
                data = await stream.receive(BODY_AT_MOST)
                if not data:
                    raise Failed(Code.L7RSP, "connection closed before the answer to OPTIONS")
                left -= len(data)
                if left < 0:
                    raise Failed(Code.L7RSP, f"more than {READ_AT_MOST} bytes without a final answer to OPTIONS")
                received = (received + data).lstrip(b"\r\n")  # a line end keeps a connection alive, and is nothing

    def _request(self, target: Target, transaction: Transaction, transport: str, local: tuple[str, int]) -> bytes:
        uri = self.uri or f"sip:{target.where};transport={transport.lower()}"
        return options_request(transaction, uri=uri, transport=transport, local=_endpoint(*local))


def _endpoint(address: str, port: int) -> str:
    address = address.partition("%")[0]
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
