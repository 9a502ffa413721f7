from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from checkers import net
from checkers.base import Code, Failed, OptionError, Outcome, Phase, Target, passed, show
from checkers.tls import TlsChecker

_EXPECTATIONS = ("expect", "expect_hex", "expect_regex")
_LONGEST_ANSWER = 1 << 20
_SHORTHAND = ("send", "send_hex", *_EXPECTATIONS)


@dataclass(frozen=True, kw_only=True)
class Step:
    """What is sent, what is expected then, or both in this order.

    `send` and `expect` are text; `send_hex` and `expect_hex` are bytes as "50 49 4e 47". `match` says where the
    expected bytes must stand. `expect_regex` is searched for in the answer read as UTF-8, and is tried as soon as one
    byte has come.
    """

    send: str | None = field(default=None, repr=False)  # may hold a password
    send_hex: str | None = field(default=None, repr=False)
    expect: str | None = None
    expect_hex: str | None = None
    expect_regex: str | None = None
    match: Literal["prefix", "substring"] = "substring"

    def __post_init__(self) -> None:
        given = [option for option in _SHORTHAND if getattr(self, option) is not None]
        if not given:
            raise OptionError("send", f"nothing is sent and nothing expected: give one of {', '.join(_SHORTHAND)}")
        for option in given:
            if not getattr(self, option):
                raise OptionError(option, "must not be empty")
        for group in (_SHORTHAND[:2], _EXPECTATIONS):
            if len(both := [option for option in group if option in given]) > 1:
                raise OptionError(both[1], f"cannot stand beside {both[0]}: give one of the two")
        if self.match == "prefix" and self.expect is None and self.expect_hex is None:
            raise OptionError("match", "prefix needs expect or expect_hex; a regular expression begins with ^ instead")
        self.request, self._expected, self._pattern  # noqa: B018 - a value that cannot be used is refused here

    @functools.cached_property
    def request(self) -> bytes:
        """What is sent; nothing where the step only listens."""
        return _bytes("send_hex", self.send, self.send_hex)

    @functools.cached_property
    def _expected(self) -> bytes:
        return _bytes("expect_hex", self.expect, self.expect_hex)

    @functools.cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        if self.expect_regex is None:
            return None
        try:
            return re.compile(self.expect_regex)
        except re.error as error:
            raise OptionError("expect_regex", f"is not a regular expression: {error}") from error

    @property
    def listens(self) -> bool:
        return bool(self._expected) or self._pattern is not None

    @property
    def shortest_match(self) -> int:
        return len(self._expected)

    @property
    def wanted(self) -> str:
        """The expectation for people."""
        if self.expect_regex is not None:
            return f"a match of {show(self.expect_regex)}"
        return self.expect_hex or show(self._expected)

    def end_of_match(self, received: bytes) -> int | None:
        """How many bytes of `received` the match and what stands before it take up; None without a match."""
        if self._pattern is not None:
            # Bytes that are no UTF-8 become lone surrogates, and the same bytes again on the way back.
            text = received.decode("utf-8", "surrogateescape")
            found = self._pattern.search(text) if received else None
            return len(text[: found.end()].encode("utf-8", "surrogateescape")) if found else None
        if self.match == "prefix":
            return len(self._expected) if received.startswith(self._expected) else None
        at = received.find(self._expected)
        return None if at < 0 else at + len(self._expected)

    def may_still_come(self, received: bytes) -> bool:
        """Whether more bytes could make a match of `received`, which is none yet."""
        return self.match == "substring" or self._expected.startswith(received)


@dataclass(frozen=True, kw_only=True)
class Dialog(TlsChecker):
    """Passes when a server keeps to a dialogue: each step sends, expects, or both.

    Over TCP each step looks at what came after the match of the step before; over UDP each sends one datagram and
    looks at one. The options of a single step may stand on the check itself. A step reads at most `max_answer` bytes.
    Without `tls_name` the certificate must carry the address.
    """

    lean: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    protocol: Literal["tcp", "udp"] = "tcp"
    steps: tuple[Step, ...] = ()
    send: str | None = field(default=None, repr=False)
    send_hex: str | None = field(default=None, repr=False)
    expect: str | None = None
    expect_hex: str | None = None
    expect_regex: str | None = None
    match: Literal["prefix", "substring"] = "substring"
    max_answer: int = 65536

    def __post_init__(self) -> None:
        super().__post_init__()
        given = [option for option in _SHORTHAND if getattr(self, option) is not None]
        if self.steps and (given or self.match != "substring"):
            raise OptionError((given or ["match"])[0], "cannot stand beside steps: move it into one of them")
        if not self.steps and not given:
            raise OptionError("steps", f"missing: give at least one step, or one of {', '.join(_SHORTHAND)}")
        if not 1 <= self.max_answer <= _LONGEST_ANSWER:
            raise OptionError("max_answer", f"must be from 1 to {_LONGEST_ANSWER} bytes, not {self.max_answer}")
        if any(step.shortest_match > self.max_answer for step in self._dialogue):
            raise OptionError("max_answer", f"is less than what is expected: {self.max_answer} bytes")
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
        return (Step(match=self.match, **{option: getattr(self, option) for option in _SHORTHAND}),)

    async def check(self, target: Target) -> Outcome:
        if self.protocol == "udp":
            return await self._over_udp(target)
        async with net.connect(target) as stream:
            if self.tls:
                await self.start_tls(stream, target.address)
            seen = received = b""
            for number, step in enumerate(self._dialogue, 1):
                if step.request:
                    target.trace.enter(Phase.TALK, self._in_step(number, "sending"))
                    await stream.send(step.request)
                if step.listens:
                    seen, received = await self._expect(stream, target, number, received)
        return passed(Code.L7OK, self._in_step(number, f"received {show(seen)}" if seen else "sent"))

    async def _expect(self, stream: net.Stream, target: Target, number: int, received: bytes) -> tuple[bytes, bytes]:
        """What was received up to the end of the match of step `number`, and what after it."""
        step = self._dialogue[number - 1]
        target.trace.enter(Phase.TALK, self._in_step(number, f"waiting for {step.wanted}{_so_far(received)}"))
        while (end := step.end_of_match(received)) is None:
            if not step.may_still_come(received):
                raise self._failed(number, f"expected {step.wanted} first", received)
            if len(received) >= self.max_answer:
                raise self._failed(number, f"{step.wanted} not found in {len(received)} bytes", received)
            data = await stream.receive(self.max_answer - len(received))
            if not data:
                raise self._failed(number, f"connection closed before {step.wanted}", received)
            received += data
            target.trace.enter(Phase.TALK, self._in_step(number, f"waiting for {step.wanted}{_so_far(received)}"))
        return received[:end], received[end:]

    async def _over_udp(self, target: Target) -> Outcome:
        seen = b""
        async with net.Datagrams(target) as datagrams:
            for number, step in enumerate(self._dialogue, 1):
                if step.request:
                    await datagrams.send(step.request)
                if step.listens:
                    target.trace.enter(Phase.TALK, self._in_step(number, f"waiting for {step.wanted}"))
                    seen = await datagrams.receive(self.max_answer)
                    if step.end_of_match(seen) is None:
                        raise self._failed(number, f"{step.wanted} not found in the datagram", seen)
        return passed(Code.L7OK, self._in_step(number, f"received {show(seen)}"))

    def _failed(self, number: int, what: str, received: bytes) -> Failed:
        return Failed(Code.L7RSP, self._in_step(number, what + (_so_far(received) or ", received nothing")))

    def _in_step(self, number: int, text: str) -> str:
        count = len(self._dialogue)
        return text if count == 1 else f"step {number} of {count}: {text}"


def _bytes(option: str, text: str | None, digits: str | None) -> bytes:
    if digits is None:
        return (text or "").encode()
    try:
        return bytes.fromhex(digits)
    except ValueError as error:
        raise OptionError(option, 'must be pairs of hexadecimal digits such as "50 49 4e 47"') from error


def _so_far(received: bytes) -> str:
    return f", received {show(received)}" if received else ""
