from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar, Literal

from checkers.base import Checker, Code, Failed, OptionError, Outcome, Phase, Target, passed, show
from checkers.datagrams import HearingDatagrams
from checkers.step import Step, StepOptions

_LONGEST = 65507  # bytes of payload that a UDP datagram over IPv4 may have


@dataclass(frozen=True, kw_only=True)
class Udp(StepOptions, Checker):
    """Passes when a UDP server answers a datagram; a port that nobody listens on, as ICMP tells, fails.

    What is sent is empty unless `send` or `send_hex` say otherwise. Any answer passes, unless something is expected of
    it. Most servers do not answer to what they do not understand: `silence` says what it is when nothing has come at
    the deadline, neither an answer nor an ICMP error.
    """

    lean: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    silence: Literal["fail", "pass"] = "fail"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self._step is None and self.match != "substring":
            raise OptionError("match", "needs expect or expect_hex, whose place it tells")
        if self._step is not None and len(self._step.request) > _LONGEST:
            raise OptionError("send", f"must be at most {_LONGEST} bytes, the most that a datagram holds")
        if self._step is not None:
            self._step.check_bound(_LONGEST)

    @functools.cached_property
    def _step(self) -> Step | None:
        """None where nothing is said about the datagrams."""
        return Step(match=self.match, **self.given) if self.given else None

    async def check(self, target: Target) -> Outcome:
        step = self._step
        async with HearingDatagrams(target) as datagrams:
            await datagrams.send(step.request if step is not None else b"")
            if self.silence == "pass":
                target.trace.enter(Phase.SILENT, f"waiting for an ICMP error from {target.where}")
            else:
                wanted = step.wanted if step is not None and step.listens else "any answer"
                target.trace.enter(Phase.TALK, f"waiting for {wanted} from {target.where}")
            answer = await datagrams.receive(_LONGEST)
        if step is not None and step.listens and await step.find(answer, target.io) is None:
            raise Failed(Code.L7RSP, f"{step.wanted} not found in the datagram, received {show(answer)}")
        return passed(Code.L7OK, f"received {show(answer)}")
