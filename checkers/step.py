"""One step of a dialogue: what is sent, and what is looked for in the answer."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Literal

from checkers.apart import apart
from checkers.base import OptionError, show
from checkers.pattern import INLINE_STEPS, Pattern, PatternError
from checkers.waiting import Io

_EXPECTATIONS = ("expect", "expect_hex", "expect_regex")
SHORTHAND = ("send", "send_hex", *_EXPECTATIONS)


@dataclass(frozen=True, kw_only=True)
class StepOptions:
    """The options of a step, which may stand on a check that has only one. Nothing of them is looked at here.

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

    @property
    def given(self) -> dict[str, str]:
        """What is sent and what is expected, by option; empty where neither is said."""
        return {option: value for option in SHORTHAND if (value := getattr(self, option)) is not None}


@dataclass(frozen=True, kw_only=True)
class Step(StepOptions):
    """What is sent, what is expected then, or both in this order."""

    def __post_init__(self) -> None:
        given = self.given
        if not given:
            raise OptionError("send", f"nothing is sent and nothing expected: give one of {', '.join(SHORTHAND)}")
        for option in given:
            if not getattr(self, option):
                raise OptionError(option, "must not be empty")
        for group in (SHORTHAND[:2], _EXPECTATIONS):
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
    def sent(self) -> str:
        """What is sent, for people: a backslash stands twice, so that a line end is told from its spelling."""
        spelled = self.request.replace(b"\\", b"\\\\")
        return f"sent {show(spelled)}"

    @functools.cached_property
    def _expected(self) -> bytes:
        return _bytes("expect_hex", self.expect, self.expect_hex)

    @functools.cached_property
    def _pattern(self) -> Pattern | None:
        if self.expect_regex is None:
            return None
        try:
            return Pattern(self.expect_regex)
        except PatternError as error:
            raise OptionError("expect_regex", f'"{self.expect_regex}" {error}') from error

    @property
    def listens(self) -> bool:
        return bool(self._expected) or self._pattern is not None

    def check_bound(self, longest: int) -> None:
        """Raises OptionError if an answer of `longest` bytes is too short to match, or too long to search."""
        if len(self._expected) > longest:
            raise OptionError("max_answer", f"is less than what is expected: {longest} bytes")
        if self._pattern is not None:
            try:
                self._pattern.within(longest)
            except PatternError as error:
                raise OptionError("expect_regex", str(error)) from error

    @property
    def wanted(self) -> str:
        """The expectation for people."""
        if self.expect_regex is not None:
            return f"a match of {show(self.expect_regex)}"
        return self.expect_hex or show(self._expected)

    def end_of_match(self, received: bytes) -> int | None:
        """How many bytes of `received` the match and what stands before it take up; None without a match."""
        if self._pattern is not None:
            return self._pattern.end_of_match(received) if received else None
        if self.match == "prefix":
            return len(self._expected) if received.startswith(self._expected) else None
        at = received.find(self._expected)
        return None if at < 0 else at + len(self._expected)

    async def find(self, received: bytes, io: Io) -> int | None:
        """Likewise; a search that may take long is made in a thread, and holds nobody up."""
        if self._pattern is not None and self._pattern.steps * len(received) > INLINE_STEPS:
            return await apart(io, functools.partial(self.end_of_match, received))
        return self.end_of_match(received)

    def may_still_come(self, received: bytes) -> bool:
        """Whether more bytes could make a match of `received`, which is none yet."""
        return self.match == "substring" or self._expected.startswith(received)


def _bytes(option: str, text: str | None, digits: str | None) -> bytes:
    if digits is None:
        return (text or "").encode()
    try:
        return bytes.fromhex(digits)
    except ValueError as error:
        raise OptionError(option, 'must be pairs of hexadecimal digits such as "50 49 4e 47"') from error
