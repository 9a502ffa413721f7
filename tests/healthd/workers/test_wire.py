from __future__ import annotations

import asyncio
import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.base import Outcome, Status
from healthd.phases import PARTS
from healthd.schedulerview import LatenessView, SchedulerView
from healthd.tally import BOUNDS, WHOLE, Durations, Parts, Repeated
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
    expires=st.none() | st.floats(0, 2**40),
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


seconds = st.floats(0, 1e9)
counts = st.lists(st.integers(0, 2**53), min_size=len(BOUNDS) + 1, max_size=len(BOUNDS) + 1)
repetitions = st.builds(
    Repeated,
    st.sampled_from(Status),
    texts,
    st.dictionaries(st.sampled_from([WHOLE, *PARTS]), st.builds(Durations, counts, seconds)).map(Parts),
)
parts = st.dictionaries(st.sampled_from(sorted(PARTS)), seconds)


@given(st.lists(st.tuples(st.integers(0, 2**40), results, parts, st.none() | repetitions), max_size=5))
def test_outcomes_arrive_as_they_were_sent(batch: list[wire.Row]) -> None:
    """Status, code, detail, durations and wishes, under the number of the job; and what stayed behind before."""
    data = b"".join(wire.frames_of(batch))
    frames = asyncio.run(read(data, wire.LONGEST_TO_PARENT))
    assert [row for frame in frames for row in outcomes_in(frame)] == batch


def test_the_longest_batch_stays_within_what_the_parent_takes() -> None:
    """Details and codes are cut, and outcomes spread over frames: no worker is killed for a wordy plugin."""
    wordy = Outcome(Status.FAIL, "C" * 1000, "\U0001f600" * 100_000, 1.5, 65535)
    most = Durations([2**53] * (len(BOUNDS) + 1), 1.7976931348623157e308)
    repeated = Repeated(Status.FAIL, "\U0001f600" * 1000, Parts(dict.fromkeys([WHOLE, *PARTS], most)))
    spent = dict.fromkeys(PARTS, most.seconds)
    frames = list(wire.frames_of([(2**60, wordy, spent, repeated)] * (2 * wire.BATCH + 1)))
    assert len(frames) == 3
    assert max(map(len, frames)) < wire.LONGEST_TO_PARENT
    (_, outcome, _, _), *_ = outcomes_in(frames[0][4:])
    assert outcome == Outcome(Status.FAIL, "C" * 64, "\U0001f600" * 1000, 1.5, 65535)


async def test_frames_end_where_they_say() -> None:
    """Several in one piece, and none where the other side broke off."""
    data = wire.framed(b"one") + wire.framed(b"") + wire.framed(b"two") + b"\0\0\0\5hal"
    assert await read(data) == [b"one", b"", b"two"]


async def test_a_frame_has_a_bound() -> None:
    """Nothing is reserved for one that is too long."""
    with pytest.raises(wire.WireError, match="announced a message of 4294967295 bytes; 100 are allowed"):
        await read(b"\xff\xff\xff\xff")


GOOD = [1, "pass", "L4OK", "", 0.1, None, None, False, None, {"connect": 0.1}]
COUNTS = [3, *[0] * 13, 1]
REPEATED: list[Any] = ["fail", "L4CON", {"whole": [COUNTS, 0.5], "connect": [COUNTS, 0.25]}]
NO_COUNTS: list[Any] = ["0", True, 1.5, -1, 2**53 + 1, []]
NO_LISTS: list[Any] = [COUNTS[:14], [*COUNTS, 0], None, {}, "a" * 15]
WRONG_REPEATED: list[list[Any]] = [
    *(REPEATED[:2], [*REPEATED, 1], ["well", *REPEATED[1:]], ["fail", "C" * 65, REPEATED[2]], ["fail", 5, {}]),
    *(["fail", "L4CON", durations] for durations in (5, None, [1], ["whole"], {"nap": [COUNTS, 0.5]}, {"whole": 1})),
    *(["fail", "L4CON", {"whole": value}] for value in ([], [COUNTS], [COUNTS, 0.5, 1], "ab", {"a": 1, "b": 2})),
    *(["fail", "L4CON", {"whole": [COUNTS, took]}] for took in (1, -0.5, None, float("nan"), float("inf"))),
    *(["fail", "L4CON", {"talk": [[*COUNTS[:14], last], 0.5]}] for last in NO_COUNTS),
    *(["fail", "L4CON", {"talk": [counts, 0.5]}] for counts in NO_LISTS),
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
    (8, 1),
    (8, "soon"),
    (9, None),
    (9, ["connect"]),
    (9, "connect"),
    (9, {"whole": 0.5}),
    *((9, {"talk": took}) for took in (1, -0.5, None, float("nan"), float("inf"))),
]


@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b"\xff\xfe", b"{", b"7", b"[7]", b"[" * 100_000, b'{"a": 1}'),
        *(json.dumps([row]).encode() for row in (GOOD[:5], GOOD[:9], [*GOOD, 1], "pass")),
        *(json.dumps([[*GOOD, *repeated]]).encode() for repeated in WRONG_REPEATED),
        *(json.dumps([[*GOOD[:place], value, *GOOD[place + 1 :]]]).encode() for place, value in WRONG),
    ],
)
def test_what_is_no_outcome_is_refused(payload: bytes) -> None:
    """Foreign code runs in a worker, so all that comes from there is looked at."""
    assert wire.told(json.dumps([GOOD]).encode()) == [
        (1, Outcome(Status.PASS, "L4OK", "", 0.1), {"connect": 0.1}, None)
    ]
    parts = Parts({"whole": Durations(COUNTS, 0.5), "connect": Durations(COUNTS, 0.25)})
    assert outcomes_in(json.dumps([[*GOOD, *REPEATED]]).encode())[0][3] == Repeated(Status.FAIL, "L4CON", parts)
    with pytest.raises(wire.WireError, match="which holds no outcomes"):
        wire.told(payload)


FIGURES = {"checks": 5, "waiting": 1, "under_way": 2, "too_late": 7, "counts": [[0, 20], [999, 3]], "longest": 2.5}
VIEW = SchedulerView(checks=5, waiting=1, under_way=2, too_late=7, lateness=LatenessView(((0, 20), (999, 3)), 2.5))
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
