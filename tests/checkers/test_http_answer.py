"""What an HTTP/1.1 server may send, byte by byte, and what is made of it; conversations are in test_http_hostile."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from checkers.base import Status
from checkers.http_answer import Answer
from checkers.http_request import Question, fields_of
from checkers.http_weight import HeaderWeight, JsonWeight
from checkers.json_path import read_json
from checkers.outcome import LARGEST_WEIGHT

BODY_AT_MOST = 100
FIELDS = fields_of({}, None)
EMPTY = Question("GET", "https", 443, "www.test", "/").encoded(FIELDS, None, credentials=False)

PIECES = st.lists(
    st.sampled_from(
        [
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\n",
            b"HTTP/1.0 304 \r\n",
            b"HTTP/1.1 101 Switching Protocols\r\n",
            b"Content-Length: 5\r\n",
            b"Content-Length: 99999999999999999999\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"\r\n",
            b"5\r\nhello\r\n",
            b"0\r\n\r\n",
            b"ffffffffffffffffff\r\n",
            b"x" * 150,
        ]
    )
    | st.binary(max_size=20),
    max_size=10,
)


@settings(max_examples=400, deadline=None)
@given(PIECES, st.integers(1, 50))
def test_any_bytes_are_an_answer_or_none(pieces: list[bytes], size: int) -> None:
    """No exception comes out of the parser, and no more of a body is kept than is looked at, however it is cut."""
    data = b"".join(pieces)
    answer = Answer(BODY_AT_MOST)
    for start in range(0, len(data), size):
        answer.feed(data[start : start + size])
    answer.end_of_stream()
    answer.let_go()
    assert len(answer.body) <= BODY_AT_MOST
    assert answer.status_line.isprintable()
    assert answer.complete or answer.broken or not answer.head_complete
    assert all(isinstance(value, str) for value in answer.values("Content-Length"))


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from([200, 301, 302, 303, 307, 308]),
    st.text(max_size=60) | st.text(alphabet="htps:/.?#[]@%0a\\\t \x00é", max_size=60),
)
def test_any_location_leads_to_the_same_server_or_nowhere(status: int, location: str) -> None:
    """What is asked then can stand in a request: no line can be put into it."""
    question = Question("GET", "https", 443, "www.test", "/a?b").redirected(status, location)
    if question is not None:
        request = question.encoded(FIELDS, None, credentials=False)
        assert request.count(b"\r\n") == EMPTY.count(b"\r\n")
        assert request.isascii()
        assert question.scheme == "https"
        assert question.port == 443


@given(st.text(max_size=20) | st.from_regex(r"[ \t]*[0-9.]{0,12}%?[ \t]*"))
def test_any_field_is_a_weight_or_none(text: str) -> None:
    """The server passes whatever it says, and its wish is within what the kernel takes."""
    outcome = HeaderWeight.named("X-Weight").outcome([text], "answered")
    assert outcome.status is Status.PASS
    assert 0 <= (outcome.weight or 0) <= LARGEST_WEIGHT
    assert 0 <= (outcome.factor or 0) <= LARGEST_WEIGHT


@given(st.integers() | st.floats() | st.text(max_size=20) | st.booleans() | st.none())
def test_any_value_is_a_weight_or_none(value: object) -> None:
    """Likewise, in JSON."""
    text = json.dumps(value).replace("NaN", "1e999").replace("Infinity", "1e999")
    outcome = JsonWeight.at("$").outcome(read_json(text.encode()), "answered")
    assert outcome.status is Status.PASS
    assert outcome.detail.isprintable()
