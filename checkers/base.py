"""What a checker is. This file is the plugin author's manual; nothing here depends on healthd.

A *checker* is a frozen dataclass. Its fields are its options: they come from the configuration by name, with their
types and defaults checked before anything runs. A field may be a str, int, float, bool, a Literal, one of these or
None, a tuple or a dict of them; what more there is to check goes into `__post_init__` and raises `OptionError`.
It has one coroutine:

    @dataclass(frozen=True, kw_only=True)
    class Banner(Checker):
        "Passes when the server greets with the given text."

        greeting: str

        async def check(self, target: Target) -> Outcome:
            async with net.connect(target) as stream:
                line = await stream.receive(512)
            if not line.startswith(self.greeting.encode()):
                raise Failed(Code.L7RSP, f"greeted with {show(line)}")
            return passed(Code.L7OK, show(line))

Rules:

1. `check` answers one question about one server, once. It keeps no state between calls: counting is healthd's work.
2. It sets no timeout. The caller gives the whole check one deadline and cancels it there.
3. It returns `passed(...)` or raises `Failed` (the server's fault) or `Unable` (ours: out of descriptors, no route
   from this machine, a missing file). `Unable` never changes a server's health.
4. It catches no exception that it does not understand. What escapes is a fault of the checker, not of the server: it
   is logged with its traceback and counts as UNKNOWN.
5. It reads no more than it needs: every peer may be hostile, so every read has a bound.
6. The detail is for people and holds the evidence: the status line, the first bytes, the error's text.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import ClassVar

from checkers.waiting import LOOP, Io


class Status(enum.Enum):
    __hash__ = object.__hash__  # there is one object of each; an enum's own way is a call for every look into a dict

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    UNKNOWN = "unknown"


class Code(enum.StrEnum):
    """Stable short codes, in the vocabulary of HAProxy's users. A plugin may use its own."""

    L4OK = "L4OK"  # connected
    L4CON = "L4CON"  # refused, reset or unreachable while connecting
    L4TOUT = "L4TOUT"  # no connection before the deadline
    L6RSP = "L6RSP"  # TLS refused, or a certificate that does not verify
    L6TOUT = "L6TOUT"  # no TLS before the deadline
    L7OK = "L7OK"  # the expected answer
    L7RSP = "L7RSP"  # an answer that is broken, cut short or not the expected one
    L7STS = "L7STS"  # a well-formed answer with the wrong status
    L7TOUT = "L7TOUT"  # no whole answer before the deadline
    PROCOK = "PROCOK"  # a script ended with status 0
    PROCERR = "PROCERR"  # a script ended with another status, or by a signal
    PROCTOUT = "PROCTOUT"  # a script did not end before the deadline
    FIXED = "FIXED"  # decided by the configuration
    SOCKERR = "SOCKERR"  # UNKNOWN: this machine could not ask (descriptors, memory, routes)
    RUNERR = "RUNERR"  # UNKNOWN: a script could not be started
    CRASH = "CRASH"  # UNKNOWN: the checker itself raised an exception, or cannot be made in a worker process
    LATE = "LATE"  # UNKNOWN: this process was too busy to look at the answer in time
    WORKER = "WORKER"  # UNKNOWN: the worker process that runs the check was lost
    TOUT = "TOUT"  # a plugin that does not say how far it came reached the deadline


class Phase(enum.Enum):
    """How far a check has come; decides the code when the deadline strikes."""

    START = Code.TOUT
    CONNECT = Code.L4TOUT
    TLS = Code.L6TOUT
    TALK = Code.L7TOUT
    PROCESS = Code.PROCTOUT


class Trace:
    """How far the running check has come: the one mutable thing a checker is handed.

    `healthd probe` passes a subclass that also keeps the texts and their times.
    """

    __slots__ = ("phase", "text")

    def __init__(self) -> None:
        self.phase = Phase.START
        self.text = ""

    def enter(self, phase: Phase, text: str = "") -> None:
        """`phase` begins now; `text` says to people what has just been reached or is being waited for."""
        self.phase = phase
        self.text = text

    def note(self, text: str) -> None:
        """Something worth a line in `healthd probe` has happened, within the same phase. Costs nothing elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom to ask. `address` is numeric, IPv4 or IPv6 without brackets; `port` is 0 where the check has none.

    The `server_*` and `virtual_*` fields say on whose behalf, for scripts and messages: the real server as the
    kernel's table has it, and its virtual service (`fwmark` is 0 unless the service is selected by a mark, and
    then the virtual address is empty and the port 0). `io` is how the check waits for its sockets.
    """

    address: str
    port: int = 0
    service: str = ""
    server_address: str = ""
    server_port: int = 0
    virtual_address: str = ""
    virtual_port: int = 0
    fwmark: int = 0
    protocol: str = "tcp"
    trace: Trace = field(default_factory=Trace, compare=False, repr=False)
    io: Io = field(default=LOOP, compare=False, repr=False)
    where: str = field(init=False, compare=False, repr=False)
    """`10.0.0.1:80`, `[2001:db8::1]:80`, or the bare address without a port."""

    def __post_init__(self) -> None:
        host = f"[{self.address}]" if ":" in self.address and self.port else self.address
        object.__setattr__(self, "where", f"{host}:{self.port}" if self.port else host)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one check found. `seconds` is filled in by whoever ran it; `weight` is the server's own wish, if any."""

    status: Status
    code: str
    detail: str = ""
    seconds: float = 0.0
    weight: int | None = None

    def __post_init__(self) -> None:
        """Raises TypeError or ValueError: an outcome that exists is one that everything behind it can work with."""
        if type(self.status) is Status and type(self.code) is type(self.detail) is str and self.weight is None:
            return  # as nearly every outcome is
        typed = ((self.status, Status), (self.code, str), (self.detail, str), (self.weight, int | None))
        for value, kind in typed:
            if not isinstance(value, kind):
                raise TypeError(
                    f"Outcome(status: Status, code: str, detail: str, weight: int), not {show(repr(value))}"
                )
        if self.weight is not None and not 0 <= self.weight <= 65535:
            raise ValueError(f"an Outcome's weight is from 0 to 65535, not {self.weight}")

    def __str__(self) -> str:
        return f"{self.code} {self.detail}" if self.detail else str(self.code)


def passed(code: str, detail: str = "", *, weight: int | None = None) -> Outcome:
    return Outcome(_PASS, str.__str__(code), detail, 0.0, weight)


_PASS = Status.PASS  # looking up a member of an enum costs as much as a call


class CheckEnded(Exception):  # noqa: N818 - not an error of the program: a check's answer, raised from the depths
    """Ends a check from any depth. Raised only as `Failed` or `Unable`."""

    status: ClassVar[Status]

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code} {detail}")
        self.outcome = Outcome(self.status, str(code), detail)


class Failed(CheckEnded):
    """The server is at fault."""

    status = Status.FAIL


class Unable(CheckEnded):
    """The question could not be asked: the fault is on this side."""

    status = Status.UNKNOWN


class OptionError(ValueError):
    """Raised in `__post_init__` for an option whose value cannot work; `option` is the field's name."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(message)
        self.option = option


@dataclass(frozen=True, kw_only=True)
class Checker:
    """The base of every checker. `address` and `port` send the check elsewhere than to the real server itself."""

    default_port: ClassVar[int] = 0
    """The port asked when neither the check nor the server names one; 0 says there is none."""
    needs_port: ClassVar[bool] = True
    """False for a check without a port, such as ping."""
    lean: ClassVar[bool] = False
    """True if `check` awaits nothing but `checkers.net` and `Target.io`, and never returns one `Outcome` twice: it then
    runs without a task of its own."""
    shared: ClassVar[bool] = False
    """True if `check` looks at nothing of its target but address and port: one answer then serves all services."""

    address: str | None = None
    port: int | None = None

    def __post_init__(self) -> None:
        if self.port is not None and not 1 <= self.port <= 65535:
            raise OptionError("port", f"must be from 1 to 65535, not {self.port}")

    async def check(self, target: Target) -> Outcome:
        """The outcome for `target`.

        Raises:
            Failed: the server is at fault.
            Unable: the question could not be asked.

        """
        raise NotImplementedError


def show(data: bytes | str, limit: int = 60) -> str:
    """`data` shortened and printable on one line, in quotes: what goes into a detail as evidence."""
    text = data.decode("utf-8", "backslashreplace") if isinstance(data, bytes) else data
    cut = text[:limit]
    plain = cut if cut.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in cut)
    return f'"{plain}"' + ("..." if len(text) > limit else "")
