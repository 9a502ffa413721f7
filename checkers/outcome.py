"""What a check found: codes, the outcome, how evidence is shown. Plug-ins take it all from `checkers.base`."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from types import UnionType


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
    L6OK = "L6OK"  # TLS established
    L6RSP = "L6RSP"  # TLS refused, or a certificate that does not verify
    L6TOUT = "L6TOUT"  # no TLS before the deadline
    L7OK = "L7OK"  # the expected answer
    L7RSP = "L7RSP"  # an answer that is broken, cut short or not the expected one
    L7STS = "L7STS"  # a well-formed answer with the wrong status
    L7TOUT = "L7TOUT"  # no whole answer before the deadline
    PROCOK = "PROCOK"  # a script ended with status 0
    PROCERR = "PROCERR"  # a script ended with another status, or by a signal
    PROCTOUT = "PROCTOUT"  # a script did not end before the deadline
    FILEOK = "FILEOK"  # a file is, or is not, where it should be
    FILEBAD = "FILEBAD"  # the contrary: a file says that the server is not to be used
    FILEERR = "FILEERR"  # UNKNOWN: a file cannot be read, or holds nothing that can be understood
    FIXED = "FIXED"  # decided by the configuration
    SOCKERR = "SOCKERR"  # UNKNOWN: this machine could not ask (descriptors, memory, routes)
    BARRED = "BARRED"  # UNKNOWN: the server has shut this machine out for asking, and may serve everybody else
    RUNERR = "RUNERR"  # UNKNOWN: a script could not be started
    PROCUNK = "PROCUNK"  # UNKNOWN: a script could not tell, or did not say what it should
    CRASH = "CRASH"  # UNKNOWN: the checker itself raised an exception, or cannot be made in a worker process
    LATE = "LATE"  # UNKNOWN: this process was too busy to look at the answer in time
    WORKER = "WORKER"  # UNKNOWN: the worker process that runs the check was lost
    TOUT = "TOUT"  # a plugin that does not say how far it came reached the deadline


LARGEST_WEIGHT = 65535
"""What the kernel takes; also the largest factor, which makes that of a weight of 1."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one check found. `seconds` is filled in by whoever ran it.

    What the server wishes, if anything, is `weight`, or `factor`: the share of its configured weight, 1.0 for all.
    `degraded` says that it passed but is not as it should be. All three have an effect only in an outcome that passed.
    `expires` is when the server's certificate ends, in seconds since 1970, if the check has looked.
    """

    status: Status
    code: str
    detail: str = ""
    seconds: float = 0.0
    weight: int | None = None
    factor: float | None = None
    degraded: bool = False
    expires: float | None = None

    def __init__(  # noqa: PLR0913 - it is the fields
        self,
        status: Status,
        code: str,
        detail: str = "",
        seconds: float = 0.0,
        weight: int | None = None,
        *,
        factor: float | None = None,
        degraded: bool = False,
        expires: float | None = None,
    ) -> None:
        """Raises TypeError or ValueError: an outcome that exists is one that everything behind it can work with.

        Written out as every check makes one: with a `__post_init__` it takes half as long again.
        """
        put = object.__setattr__
        put(self, "status", status)
        put(self, "code", code)
        put(self, "detail", detail)
        put(self, "seconds", seconds)
        put(self, "weight", weight)
        put(self, "factor", factor)
        put(self, "degraded", degraded)
        put(self, "expires", expires)
        plain = type(status) is Status and type(code) is type(detail) is str
        if not plain or weight is not None or factor is not None or degraded is not False or expires is not None:
            _look_at(self)

    def __str__(self) -> str:
        return f"{self.code} {self.detail}" if self.detail else str(self.code)


def _look_at(outcome: Outcome) -> None:
    """Raises as an unusual outcome's making does."""
    fields: tuple[tuple[object, type | UnionType], ...] = (
        (outcome.status, Status),
        (outcome.code, str),
        (outcome.detail, str),
        (outcome.weight, int | None),
        (outcome.factor, float | int | None),
        (outcome.degraded, bool),
        (outcome.expires, float | int | None),
    )
    for value, kind in fields:
        if not isinstance(value, kind):
            wanted = "status: Status, code: str, detail: str, weight: int, factor: float, degraded: bool"
            raise TypeError(f"Outcome({wanted}, expires: float), not {show(repr(value))}")
    if outcome.weight is not None and not 0 <= outcome.weight <= LARGEST_WEIGHT:
        raise ValueError(f"an Outcome's weight is from 0 to {LARGEST_WEIGHT}, not {outcome.weight}")
    if outcome.factor is not None and not 0 <= outcome.factor <= LARGEST_WEIGHT:  # which NaN is not, either
        raise ValueError(f"an Outcome's factor is from 0 to {LARGEST_WEIGHT}, not {outcome.factor}")


def passed(
    code: str,
    detail: str = "",
    *,
    weight: int | None = None,
    factor: float | None = None,
    degraded: bool = False,
    expires: float | None = None,
) -> Outcome:
    if factor is expires is None and degraded is False:  # passing them on by name would cost as much as all the rest
        return Outcome(_PASS, str.__str__(code), detail, 0.0, weight)
    return Outcome(_PASS, str.__str__(code), detail, 0.0, weight, factor=factor, degraded=degraded, expires=expires)


_PASS = Status.PASS  # looking up a member of an enum costs as much as a call


def show(data: bytes | str, limit: int = 60) -> str:
    """`data` shortened and printable on one line, in quotes: what goes into a detail as evidence."""
    if isinstance(data, bytes):  # a character has four bytes at most; what is not shown is not looked at
        data = data[: 4 * limit + 4].decode("utf-8", "backslashreplace")
    text = data
    cut = text[:limit]
    plain = cut if cut.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in cut)
    return f'"{plain}"' + ("..." if len(text) > limit else "")
