"""The heads of HTTP/2's frames, in whatever pieces they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.base import Failed
from checkers.http2_frames import FRAMES_AT_MOST, Frames
from tests.checkers.frames import DATA, PING, frame


@given(st.lists(st.binary(max_size=40), max_size=20), st.lists(st.integers(1, 30), min_size=1))
def test_frames_are_counted_however_they_are_cut(payloads: list[bytes], sizes: list[int]) -> None:
    """The last one that may come is taken, and one more is not, wherever a piece ends."""
    taken = b"".join(frame(DATA, 0, 1, payload) for payload in payloads)
    taken += b"".join(frame(PING, 0, 0, payload) for payload in payloads)
    taken += frame(PING) * (FRAMES_AT_MOST - len(payloads))
    frames = Frames()
    position = turn = 0
    while position < len(taken):
        size = sizes[turn % len(sizes)]
        frames.feed(taken[position : position + size])
        position, turn = position + size, turn + 1
    frames.feed(frame(DATA, 0, 1, b"still"))
    with pytest.raises(Failed, match="more than 250 frames beside those of the body, last PING"):
        frames.feed(frame(PING))


@given(st.lists(st.binary(max_size=100), max_size=20))
def test_any_bytes_are_frames_or_a_failure(parts: list[bytes]) -> None:
    """There are no other exceptions, and no more than a head is kept."""
    frames = Frames()
    try:
        for part in parts:
            frames.feed(part)
            assert len(frames._begun) < 9
    except Failed:
        pass
