from __future__ import annotations

import asyncio
import contextlib
import functools
import re
import secrets
import struct
from dataclasses import dataclass
from typing import ClassVar

from checkers import icmp
from checkers.base import Checker, Code, Failed, OptionError, Outcome, Phase, Target, passed
from checkers.durations import seconds_of
from checkers.fault import ended
from checkers.icmp import V4, V6, Family
from checkers.routing import take
from checkers.sockets import Socket

_SMALLEST, _LARGEST = 16, 1472
_MOST = 50

# Looking up a member of an enum costs as much as a call, and these are needed by every check.
_CONNECT, _L4OK = Phase.CONNECT, Code.L4OK

_PERCENT = re.compile(r"([0-9]{1,2})%")


@dataclass(frozen=True, kw_only=True)
class Ping(Checker):
    """Passes when ICMP echo requests come back: `count` are sent at once, of which `max_loss` may stay away.

    One that takes longer than `max_rtt` counts as lost. `size` is the length of the payload in bytes. The check ends as
    soon as it is known whether enough come back.
    """

    lean: ClassVar[bool] = True
    needs_port: ClassVar[bool] = False
    shared: ClassVar[bool] = True
    routed: ClassVar[bool | None] = True

    size: int = 56
    count: int = 1
    max_loss: str = "0%"
    max_rtt: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.port is not None:
            raise OptionError("port", "an ICMP echo has no port")
        if not _SMALLEST <= self.size <= _LARGEST:
            raise OptionError("size", f"must be from {_SMALLEST} to {_LARGEST} bytes, not {self.size}")
        if not 1 <= self.count <= _MOST:
            raise OptionError("count", f"must be from 1 to {_MOST} echoes, not {self.count}")
        match = _PERCENT.fullmatch(self.max_loss)
        if match is None:
            raise OptionError("max_loss", f'expected a share from "0%" to "99%", not "{self.max_loss}"')
        if int(match[1]) and self._needed == self.count:
            least = -(-100 // self.count)
            hint = f'"{least}%" is one of them' if self.count > 1 else "raise count"
            raise OptionError("max_loss", f'"{self.max_loss}" of {self.count} is not even one echo: {hint}')
        self._limit  # noqa: B018 - a value that cannot be used is refused here

    @functools.cached_property
    def _needed(self) -> int:
        return self.count - self.count * int(self.max_loss[:-1]) // 100

    @functools.cached_property
    def _limit(self) -> float | None:
        return None if self.max_rtt is None else seconds_of("max_rtt", self.max_rtt)

    async def check(self, target: Target) -> Outcome:
        doing = self._waiting(target.address, 0)
        target.trace.enter(_CONNECT, doing)
        kind = V6 if ":" in target.address else V4
        try:
            with contextlib.closing(icmp.open_socket(kind)) as sock:
                icmp.prepare(sock, kind)
                if target.route is not None:
                    take(target.route, sock, target.address)
                sock.connect((target.address, 0))
                times = await self._echoes(sock, kind, target)
        except OSError as error:
            raise ended(error, Code.L4CON, doing) from error
        return passed(_L4OK, self._described(target.address, times))

    async def _echoes(self, sock: Socket, kind: Family, target: Target) -> list[float]:
        """The seconds that each echo took, in the order in which as many came back as have to.

        Anything but the very replies is passed over: the payload is a secret until then.

        Raises:
            Failed: too many took too long.
            OSError: a request could not be sent, or an ICMP error came back.

        """
        raw = icmp.is_raw(sock)
        secret = secrets.token_bytes(4 + self.size)
        identifier, first = struct.unpack_from("!HH", secret)
        payload = secret[4:]
        clock = asyncio.get_running_loop().time
        watch = target.io.watch(sock.fileno())
        sent: dict[int, float] = {}
        for number in range(self.count):
            sequence = (first + number) & 0xFFFF
            sent[sequence] = clock()
            await icmp.send(sock, watch, icmp.request(kind, identifier, sequence, payload, raw=raw))
        times: list[float] = []
        while len(times) < self._needed:
            packet = await icmp.receive(sock, watch, icmp.HEADERS_AT_MOST + self.size + 1)
            came = icmp.sequence_of(packet, kind, identifier, payload, raw=raw)
            if came in sent:
                self._note(target, clock() - sent.pop(came), times, len(sent))
            else:
                # Packets that are already there are received without a pause: let the deadline have its turn.
                await target.io.turn()
        return times

    def _note(self, target: Target, seconds: float, times: list[float], outstanding: int) -> None:
        """One has come back. When it is too late to be worth anything, the others may still be enough."""
        if self._limit is None or seconds <= self._limit:
            times.append(seconds)
            if self.count > 1:
                target.trace.enter(_CONNECT, self._waiting(target.address, len(times)))
        elif len(times) + outstanding < self._needed:
            late = f"the one of {seconds * 1000:.2f} ms is later than max_rtt ({self.max_rtt})"
            count = f"; {len(times)} of {self.count} were in time, needed {self._needed}" if self.count > 1 else ""
            raise Failed(Code.L4TOUT, f"echo replies from {target.address} are slow: {late}{count}")

    def _waiting(self, address: str, came: int) -> str:
        if self.count == 1:
            return f"waiting for an echo reply from {address}"
        needed = f"{self._needed} of {self.count}"
        return f"waiting for {needed} echo replies from {address}, of which {came} came"

    def _described(self, address: str, times: list[float]) -> str:
        if self.count == 1:
            return f"echo reply from {address} in {times[0] * 1000:.2f} ms"
        span = f"in {min(times) * 1000:.2f} to {max(times) * 1000:.2f} ms"
        return f"{len(times)} echo replies from {address} {span}, of {self.count} requests"
