from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar, Literal

from checkers import net
from checkers.base import Code, Failed, OptionError, Outcome, Phase, Target, passed, show
from checkers.proxy_header import Version, header
from checkers.step import SHORTHAND, Step, StepOptions
from checkers.tls import TlsChecker

_LONGEST_ANSWER = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Dialog(StepOptions, TlsChecker):
    """Passes when a server keeps to a dialogue: each step sends, expects, or both.

    Over TCP each step looks at what came after the match of the step before; over UDP each sends one datagram and
    looks at one. The options of a single step may stand on the check itself. A step reads at most `max_answer` bytes.
    Without `tls_name` the certificate must carry the address.
    """

    lean: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    protocol: Literal["tcp", "udp"] = "tcp"
    steps: tuple[Step, ...] = ()
    max_answer: int = 65536
    proxy_protocol: Version | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps and (self.given or self.match != "substring"):
            raise OptionError(next(iter(self.given), "match"), "cannot stand beside steps: move it into one of them")
        if not self.steps and not self.given:
            raise OptionError("steps", f"missing: give at least one step, or one of {', '.join(SHORTHAND)}")
        if not 1 <= self.max_answer <= _LONGEST_ANSWER:
            raise OptionError("max_answer", f"must be from 1 to {_LONGEST_ANSWER} bytes, not {self.max_answer}")
        for step in self._dialogue:
            step.check_bound(self.max_answer)
        if self.protocol == "udp" and self.proxy_protocol is not None:
            raise OptionError("proxy_protocol", "is for TCP: its header stands at the beginning of a stream")
        if self.protocol == "udp":
            self._refuse_pointless_udp()

    def _refuse_pointless_udp(self) -> None:
        option = "steps" if self.steps else "protocol"
        if self.tls:
            raise OptionError("tls", 'needs protocol = "tcp"')
        if not self._dialogue[0].request:
            raise OptionError(option, "over UDP the first step must send: no server speaks to whom it does not know")
        if not any(step.listens for step in self._dialogue):
            raise OptionError(option, "over UDP without anything expected the check could never fail: add expect")

    @functools.cached_property
    def _dialogue(self) -> tuple[Step, ...]:
        if self.steps:
            return self.steps
        return (Step(match=self.match, **self.given),)

    async def check(self, target: Target) -> Outcome:
        if self.protocol == "udp":
            return await self._over_udp(target)
        async with net.connect(target, speaks_first=self.tls or bool(self._dialogue[0].request)) as stream:
            if self.proxy_protocol is not None:
                await stream.send(header(self.proxy_protocol, stream.local(), target))
            if self.tls:
                await self.start_tls(stream, target.address)
            seen = received = b""
            for number, step in enumerate(self._dialogue, 1):
                if step.request:
                    target.trace.enter(Phase.TALK, self._while(number, "sending"))
                    await stream.send(step.request)
                    target.trace.note(self._while(number, step.sent))
                if step.listens:
                    seen, received = await self._expect(stream, target, number, received)
        return passed(Code.L7OK, self._in_step(number, f"received {show(seen)}" if seen else "sent"))

    async def _expect(self, stream: net.Stream, target: Target, number: int, received: bytes) -> tuple[bytes, bytes]:
        """What was received up to the end of the match of step `number`, and what after it."""
        step = self._dialogue[number - 1]
        target.trace.enter(Phase.TALK, self._while(number, f"waiting for {step.wanted}{_so_far(received)}"))
        while (end := await step.find(received, target.io)) is None:
            if not step.may_still_come(received):
                raise self._failed(number, f"expected {step.wanted} first", received)
            if len(received) >= self.max_answer:
                raise self._failed(number, f"{step.wanted} not found in {len(received)} bytes", received)
            data = await stream.receive(self.max_answer - len(received))
            if not data:
                raise self._failed(number, f"connection closed before {step.wanted}", received)
            received += data
            target.trace.enter(Phase.TALK, self._while(number, f"waiting for {step.wanted}{_so_far(received)}"))
        return received[:end], received[end:]

    async def _over_udp(self, target: Target) -> Outcome:
        seen = b""
        async with net.Datagrams(target) as datagrams:
            for number, step in enumerate(self._dialogue, 1):
                if step.request:
                    await datagrams.send(step.request)
                    target.trace.note(self._while(number, step.sent))
                if step.listens:
                    target.trace.enter(Phase.TALK, self._while(number, f"waiting for {step.wanted}"))
                    seen = await datagrams.receive(self.max_answer)
                    if await step.find(seen, target.io) is None:
                        raise self._failed(number, f"{step.wanted} not found in the datagram", seen)
        return passed(Code.L7OK, self._in_step(number, f"received {show(seen)}"))

    def _failed(self, number: int, what: str, received: bytes) -> Failed:
        return Failed(Code.L7RSP, self._in_step(number, what + (_so_far(received) or ", received nothing")))

    def _in_step(self, number: int, text: str) -> str:
        count = len(self._dialogue)
        return text if count == 1 else f"step {number} of {count}: {text}"

    def _while(self, number: int, doing: str) -> str:
        """For the trace, whose text a sentence about the deadline ends with."""
        count = len(self._dialogue)
        return doing if count == 1 else f"in step {number} of {count}, {doing}"


def _so_far(received: bytes) -> str:
    return f", received {show(received)}" if received else ""
