from __future__ import annotations

import asyncio
import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.base import Outcome, Status
from healthd.schedulerview import LatenessView, SchedulerView
from healthd.tally import BOUNDS, Repeated
from healthd.workers import wire

texts = st.text(st.characters(), max_size=50)  # surrogates too: scripts print anything
results = st.builds(
    Outcome,
    st.sampled_from(Status),
    texts,
    texts,
    st.floats(0, 1e6),
    st.none() | st.integers(0, 65535),
    factor=st.none() | st.floats(0, 65535),
    degraded=st.booleans(),
)


async def read(data: bytes, longest: int = 100) -> list[bytes]:
    """The payloads of all frames."""
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    found = []
    while (payload := await wire.read_frame(reader, longest)) is not None:
        found.append(payload)
    return found


def outcomes_in(payload: bytes) -> wire.Batch:
    found = wire.told(payload)
    assert not isinstance(found, SchedulerView)
    return found


repetitions = st.builds(
    Repeated,
    st.sampled_from(Status),
    texts,
    st.dictionaries(st.integers(0, len(BOUNDS)), st.integers(1, 2**53), max_size=3),
    st.floats(0, 1e9),
)


@given(st.lists(st.tuples(st.integers(0, 2**40), results, st.none() | repetitions), max_size=5))
def test_outcomes_arrive_as_they_were_sent(batch: list[wire.Row]) -> None:
    """Status, code, detail, duration and wishes, under the number of the job; and what stayed behind before."""
    data = b"".join(wire.frames_of(batch))
    frames = asyncio.run(read(data, wire.LONGEST_TO_PARENT))
    assert [row for frame in frames for row in outcomes_in(frame)] == batch


def test_the_longest_batch_stays_within_what_the_parent_takes() -> None:
    """Details and codes are cut, and outcomes spread over frames: no worker is killed for a wordy plugin."""
    wordy = Outcome(Status.FAIL, "C" * 1000, "\U0001f600" * 100_000, 1.5, 65535)
    repeated = Repeated(Status.FAIL, "\U0001f600" * 1000, dict.fromkeys(range(len(BOUNDS) + 1), 2**53), 1e300)
    frames = list(wire.frames_of([(2**60, wordy, repeated)] * (2 * wire.BATCH + 1)))
    assert len(frames) == 3
    assert max(map(len, frames)) < wire.LONGEST_TO_PARENT
    (_, outcome, _), *_ = outcomes_in(frames[0][4:])
    assert outcome == Outcome(Status.FAIL, "C" * 64, "\U0001f600" * 1000, 1.5, 65535)


async def test_frames_end_where_they_say() -> None:
    """Several in one piece, and none where the other side broke off."""
    data = wire.framed(b"one") + wire.framed(b"") + wire.framed(b"two") + b"\0\0\0\5hal"
    assert await read(data) == [b"one", b"", b"two"]


async def test_a_frame_has_a_bound() -> None:
    """Nothing is reserved for one that is too long."""
    with pytest.raises(wire.WireError, match="announced a message of 4294967295 bytes; 100 are allowed"):
        await read(b"\xff\xff\xff\xff")


GOOD = [1, "pass", "L4OK", "", 0.1, None, None, False]
REPEATED: list[Any] = ["fail", "L4CON", 0.5, [[0, 3], [14, 1]]]
WRONG_REPEATED: list[list[Any]] = [
    *(REPEATED[:3], [*REPEATED, 1], ["well", *REPEATED[1:]], ["fail", "C" * 65, *REPEATED[2:]], ["fail", 5, 0.5, []]),
    *(["fail", "L4CON", seconds, []] for seconds in (1, -0.5, None, float("nan"), float("inf"))),
    *(["fail", "L4CON", 0.5, durations] for durations in (5, None, [1], [[0]], [[-1, 1]], [[15, 1]], [[0, 0]])),
    *(["fail", "L4CON", 0.5, [pair]] for pair in (["0", 1], [0, True], [0, 1.5], [0, 2**53 + 1], [[], 1])),
]
WRONG = [
    (0, "1"),
    (0, True),
    (0, None),
    (1, "well"),
    (1, []),
    (2, 5),
    (2, "C" * 65),
    (3, None),
    (3, "d" * 1001),
    (4, "1"),
    (4, None),
    (5, -1),
    (5, 65536),
    (5, 1.5),
    (5, True),
    (6, -0.5),
    (6, 1),
    (6, float("nan")),
    (6, 65536.0),
    (6, "50%"),
    (7, None),
    (7, 1),
]


@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b"\xff\xfe", b"{", b"7", b"[7]", b"[" * 100_000, b'{"a": 1}'),
        *(json.dumps([row]).encode() for row in (GOOD[:5], [*GOOD, 1], "pass")),
        *(json.dumps([[*GOOD, *repeated]]).encode() for repeated in WRONG_REPEATED),
        *(json.dumps([[*GOOD[:place], value, *GOOD[place + 1 :]]]).encode() for place, value in WRONG),
    ],
)
def test_what_is_no_outcome_is_refused(payload: bytes) -> None:
    """Foreign code runs in a worker, so all that comes from there is looked at."""
    assert wire.told(json.dumps([GOOD]).encode()) == [(1, Outcome(Status.PASS, "L4OK", "", 0.1), None)]
    repeated = Repeated(Status.FAIL, "L4CON", {0: 3, 14: 1}, 0.5)
    assert outcomes_in(json.dumps([[*GOOD, *REPEATED]]).encode())[0][2] == repeated
    with pytest.raises(wire.WireError, match="which holds no outcomes"):
        wire.told(payload)


FIGURES = {"checks": 5, "waiting": 1, "too_late": 7, "counts": [[0, 20], [999, 3]], "longest": 2.5}
VIEW = SchedulerView(checks=5, waiting=1, too_late=7, lateness=LatenessView(((0, 20), (999, 3)), 2.5))
NO_FIGURES = [
    *({"checks": value} for value in (-1, 1.0, True, "1", None, 2**53 + 1)),
    *({"longest": value} for value in (-0.5, 1, float("nan"), float("inf"), None)),
    *({"counts": value} for value in (None, 5, "ab", [1], [[1, 2, 3]], [["0", 1]], [[0, -1]], [[0, 1.5]])),
    *({"counts": value} for value in ([[1000, 1]], [[-1, 1]], [[5, 1], [4, 1]], [[4, 1], [4, 1]])),
    {"jobs": 5},
]


def test_figures_arrive_as_they_were_sent() -> None:
    """All but the number of jobs, which the parent knows itself."""
    (payload,) = asyncio.run(read(wire.frame_of(dataclasses.replace(VIEW, jobs=9)), 1000))
    assert json.loads(payload) == FIGURES
    assert wire.told(payload) == VIEW


@pytest.mark.parametrize("wrong", NO_FIGURES)
def test_what_is_no_figure_is_refused(wrong: dict[str, object]) -> None:
    """Whatever comes of them later is computed without a second look."""
    with pytest.raises(wire.WireError):
        wire.told(json.dumps(FIGURES | wrong).encode())


def test_figures_have_a_bound() -> None:
    """The most that there can be stay far within what the parent takes."""
    most = LatenessView(tuple((step, 2**53) for step in range(1000)), 1e300)
    assert len(wire.frame_of(SchedulerView(lateness=most))) < 40_000
