"""The bytes between the parent and a worker: frames on a stream socket.

A frame is its length in four bytes, big-endian, and so many bytes. To the worker they hold pickles, since it believes
all that its parent says. From the worker they hold JSON: a list of outcomes, or an object with the figures of its
scheduler. Every value of that is looked at: foreign code runs over there.
"""

from __future__ import annotations

import asyncio
import json
import math
import struct
from collections.abc import ItemsView, Iterator, Sequence
from typing import Any

from checkers.base import Outcome, Status, show
from healthd.phases import PARTS, Spent
from healthd.schedulerview import STEPS, LatenessView, SchedulerView
from healthd.tally import BOUNDS, WHOLE, Durations, Parts, Repeated

LENGTH = struct.Struct("!I")

LONGEST_TO_PARENT = 4 * 2**20
LONGEST_TO_WORKER = 2**30

BATCH = 200
"""Outcomes in one frame: even the longest details, all escaped, then stay within `LONGEST_TO_PARENT`."""
LONGEST_DETAIL = 1000
LONGEST_CODE = 64
LARGEST_FIGURE = 2**53

Row = tuple[int, Outcome, Spent, Repeated | None]
"""An outcome with the number of its job before it, and behind it what its parts took, and what has stayed behind."""
Batch = Sequence[Row]


class WireError(Exception):
    """The other side does not keep to the rules above; the text says how."""


def framed(payload: bytes) -> bytes:
    return LENGTH.pack(len(payload)) + payload


async def read_frame(reader: asyncio.StreamReader, longest: int) -> bytes | None:
    """The next frame's payload; None when the other side has gone.

    Raises:
        WireError: it is longer than `longest`.

    """
    try:
        (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
        if length > longest:
            raise WireError(f"announced a message of {length} bytes; {longest} are allowed")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def frames_of(batch: Batch) -> Iterator[bytes]:
    """The batch, in as many frames as it needs."""
    for start in range(0, len(batch), BATCH):
        rows = [_written(*row) for row in batch[start : start + BATCH]]
        yield framed(json.dumps(rows).encode())


SIGN_OF_LIFE = framed(b"[]")
"""A batch without outcomes."""


def frame_of(view: SchedulerView) -> bytes:
    """The figures of a worker's scheduler; how many jobs it has the parent knows best."""
    figures = {
        "checks": view.checks,
        "waiting": view.waiting,
        "under_way": view.under_way,
        "too_late": view.too_late,
        "counts": view.lateness.counts,
        "longest": view.lateness.longest,
    }
    return framed(json.dumps(figures).encode())


def _written(number: int, outcome: Outcome, spent: Spent, repeated: Repeated | None) -> list[Any]:
    detail, code = outcome.detail[:LONGEST_DETAIL], outcome.code[:LONGEST_CODE]
    weight = None if outcome.weight is None else int(outcome.weight)  # a plugin may have said True
    factor = None if outcome.factor is None else float(outcome.factor)
    expires = None if outcome.expires is None else float(outcome.expires)
    row = [
        number,
        outcome.status.value,
        code,
        detail,
        float(outcome.seconds),
        weight,
        factor,
        outcome.degraded,
        expires,
        dict(spent),
    ]
    if repeated is None:
        return row
    durations = {part: [each.counts, each.seconds] for part, each in repeated.durations.items()}
    return [*row, repeated.status.value, repeated.code[:LONGEST_CODE], durations]


def told(payload: bytes) -> list[Row] | SchedulerView:
    """The outcomes in a worker's frame, or its figures.

    Raises:
        WireError: they are not written as `frames_of` or `frame_of` does.

    """
    try:
        match json.loads(payload):
            case dict() as figures:
                return _view(**figures)
            case rows:
                return [_read(row) for row in rows]
    except (ValueError, TypeError, RecursionError) as error:
        raise WireError(f"sent {show(payload)}, which holds no outcomes: {show(str(error))}") from error


def _read(row: list[Any]) -> Row:
    number, status, code, detail, seconds, weight, factor, degraded, expires, spent, *repeated = row
    if type(number) is not int or type(seconds) is not float:
        raise TypeError("a number or a duration is of the wrong type")
    if type(weight) not in (int, type(None)) or {type(factor), type(expires)} - {float, type(None)}:
        raise TypeError("a weight, a factor or an end is of the wrong type")
    outcome = Outcome(Status(status), code, detail, seconds, weight, factor=factor, degraded=degraded, expires=expires)
    if len(outcome.code) > LONGEST_CODE or len(outcome.detail) > LONGEST_DETAIL:
        raise ValueError("a code or a detail is too long")
    took = {part: _seconds(seconds) for part, seconds in _parts(spent, PARTS)}
    return number, outcome, took, _repeated(*repeated) if repeated else None


def _parts(value: Any, known: frozenset[str]) -> ItemsView[str, Any]:
    if type(value) is not dict or not known.issuperset(value):
        raise TypeError("these are no parts of a check")
    return value.items()


def _seconds(value: Any) -> float:
    if type(value) is not float or not 0 <= value < math.inf:
        raise TypeError("that is no number of seconds")
    return value


def _repeated(status: Any, code: Any, durations: Any) -> Repeated:
    if type(code) is not str or len(code) > LONGEST_CODE:
        raise TypeError("what was repeated has no code, or too long a one")
    parts = {
        part: Durations(_counts(counts), _seconds(took)) for part, (counts, took) in _parts(durations, PARTS | {WHOLE})
    }
    return Repeated(Status(status), code, Parts(parts))


def _counts(values: Any) -> list[int]:
    if type(values) is not list or len(values) != len(BOUNDS) + 1 or {*map(type, values)} != {int}:
        raise TypeError("these are no counts of the classes of durations")
    if not all(0 <= count <= LARGEST_FIGURE for count in values):
        raise ValueError("nothing is repeated so often")
    return values


def _view(*, checks: Any, waiting: Any, under_way: Any, too_late: Any, counts: Any, longest: Any) -> SchedulerView:
    if type(longest) is not float or not 0 <= longest < math.inf:
        raise TypeError("the longest lateness is no number of seconds")
    steps = [step for step, _ in counts]
    for figure in (checks, waiting, under_way, too_late, *steps, *(count for _, count in counts)):
        if type(figure) is not int or not 0 <= figure <= LARGEST_FIGURE:
            raise TypeError("a figure is no count")
    if steps != sorted(set(steps)) or (steps and steps[-1] >= STEPS):
        raise ValueError("the milliseconds are not in order")
    return SchedulerView(
        checks=checks,
        waiting=waiting,
        under_way=under_way,
        too_late=too_late,
        lateness=LatenessView(tuple((step, count) for step, count in counts), longest),
    )
