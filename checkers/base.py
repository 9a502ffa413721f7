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
from functools import cached_property
from typing import ClassVar

from checkers.outcome import Code, Outcome, Status, passed, show
from checkers.route import OPTIONS, Route
from checkers.waiting import LOOP, Io

__all__ = [
    "CheckEnded",
    "Checker",
    "Code",
    "Failed",
    "OptionError",
    "Outcome",
    "Phase",
    "Status",
    "Target",
    "Trace",
    "Unable",
    "passed",
    "show",
]


class Phase(enum.Enum):
    """How far a check has come. Decides the code when the deadline strikes, and to which part its time is counted."""

    START = Code.TOUT, ""
    CONNECT = Code.L4TOUT, "connect"
    TLS = Code.L6TOUT, "tls"
    TALK = Code.L7TOUT, "talk"
    PROCESS = Code.PROCTOUT, "process"
    SILENT = Code.L4OK, "talk"  # nothing need come any more: reaching the deadline is to pass
    ANSWERED = Code.L7OK, "talk"  # likewise: the server has passed, and what is still missing is not its own
    LOCAL = Code.FILEERR, "local"  # something on this machine is waited for: the deadline says nothing of the server

    def __init__(self, code: Code, part: str) -> None:
        self.code = code
        self.part = part


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
    then the virtual address is empty and the port 0). `route` is by which way to ask, where the configuration says.
    `io` is how the check waits for its sockets.
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
    route: Route | None = None
    trace: Trace = field(default_factory=Trace, compare=False, repr=False)
    io: Io = field(default=LOOP, compare=False, repr=False)
    where: str = field(init=False, compare=False, repr=False)
    """`10.0.0.1:80`, `[2001:db8::1]:80`, or the bare address without a port."""

    def __post_init__(self) -> None:
        host = f"[{self.address}]" if ":" in self.address and self.port else self.address
        object.__setattr__(self, "where", f"{host}:{self.port}" if self.port else host)


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
    """The base of every checker. `address` and `port` send the check elsewhere than to the real server itself.

    `source` is the address it is sent from, `interface` the device it has to leave by, `mark` its firewall mark.
    """

    default_port: ClassVar[int] = 0
    """The port asked when neither the check nor the server names one; 0 says there is none."""
    needs_port: ClassVar[bool] = True
    """False for a check without a port, such as ping."""
    lean: ClassVar[bool] = False
    """True if `check` awaits nothing but `checkers.net` and `Target.io`, and never returns one `Outcome` twice: it then
    runs without a task of its own."""
    shared: ClassVar[bool] = False
    """True if `check` looks at nothing of its target but address and port: one answer then serves all services."""
    routed: ClassVar[bool | None] = None
    """Whether `Target.route` is honoured. If None, by lean checks that ask a port: `checkers.net` sees to it."""

    phased: ClassVar[bool] = True
    """False for one that asks several questions at once: the time of one of them is no phase of the whole."""

    address: str | None = None
    port: int | None = None
    source: str | None = None
    interface: str | None = None
    mark: int | None = None

    def __post_init__(self) -> None:
        if self.port is not None and not 1 <= self.port <= 65535:
            raise OptionError("port", f"must be from 1 to 65535, not {self.port}")
        given = [option for option in OPTIONS if getattr(self, option) is not None]
        if given and not (self.lean and self.needs_port if self.routed is None else self.routed):
            raise OptionError(given[0], f"cannot be chosen for a check of this kind: remove {', '.join(given)}")
        for option in given:
            if not getattr(self, option):
                raise OptionError(option, "must not be empty, nor 0: leave it out for the kernel's own choice")
        if self.route and (complaint := self.route.complaint(self.address)):
            raise OptionError(*complaint)

    @cached_property
    def route(self) -> Route | None:
        """One value for all targets; None unless an option asks for it."""
        if self.source is None and self.interface is None and self.mark is None:
            return None
        return Route(self.source or "", self.interface or "", self.mark or 0)

    @property
    def questions(self) -> int:
        """How many questions one check asks at the same time: more than one needs more descriptors."""
        return 1

    @property
    def adds_up(self) -> bool:
        """Whether the weight asked for is one that adds up: that is by how much it differs from the configured one.

        Of the other checks of a server that ask for weights, the one that asks for the smallest is heard.
        """
        return False

    async def check(self, target: Target) -> Outcome:
        """The outcome for `target`.

        Raises:
            Failed: the server is at fault.
            Unable: the question could not be asked.

        """
        raise NotImplementedError
