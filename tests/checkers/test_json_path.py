import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkers.json_path import DEEPEST, AbsentError, Json, JsonPath, read_json

VALUE: Json = {"status": "up", "nodes": [{"name": "a b", "it's": 1}, {"queue": None}], "größe": 3}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", VALUE),
        ("$.status", "up"),
        ("$['status']", "up"),
        ('$["status"]', "up"),
        ("$.nodes[0].name", "a b"),
        ("$.nodes[-1].queue", None),
        (r"$.nodes[0]['it\'s']", 1),
        ("$.größe", 3),
    ],
)
def test_a_path_leads_to_a_value(path: str, value: Json) -> None:
    """Members by name, plain or in brackets, and elements by number, from the front or from the back."""
    assert JsonPath.parsed(path).find(VALUE) == value


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("$.state", '$ has no member "state", only "status", "nodes", "größe"'),
        ("$.status.deep", '$.status is "up", not an object'),
        ("$.status[0]", '$.status is "up", not an array'),
        ("$.nodes[2]", "$.nodes has no element 2, only 2"),
        ("$.nodes[-3]", "$.nodes has no element -3, only 2"),
        ("$.nodes.first", "$.nodes is an array of 2, not an object"),
        ("$.nodes[1].queue.x", "$.nodes[1].queue is null, not an object"),
    ],
)
def test_where_there_is_no_value(path: str, why: str) -> None:
    """The text says how far the path led, and what is there instead."""
    with pytest.raises(AbsentError) as error:
        JsonPath.parsed(path).find(VALUE)
    assert error.value.args == (why,)


@pytest.mark.parametrize(
    "path", ["", "status", "$status", "$.", "$..a", "$.*", "$[01]", "$[a]", "$['']", "$.a-b", "$['a]", "$" + ".a" * 300]
)
def test_what_is_no_path(path: str) -> None:
    """Refused with a sentence, never taken for something else."""
    with pytest.raises(ValueError, match=r"must start with|expected \.name"):
        JsonPath.parsed(path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting property name"),
        (b"[1] 2", "Extra data"),
        (b"NaN", "NaN is no JSON"),
        (b"\xff", "not UTF-8 at byte 0"),
        (b"[" * 100_000, "nested deeper than 64"),
        (b'{"a":' * 100_000, "nested deeper than 64"),
        (b"[" * 65 + b"]" * 65, "nested deeper than 64"),
        (b"[" + b"9" * 10_000 + b"]", "Exceeds the limit"),
    ],
)
def test_what_is_no_json(text: bytes, why: str) -> None:
    """Everything that cannot be read is one exception with its reason; depth is bounded before anything recurses."""
    with pytest.raises(ValueError, match=why):
        read_json(text)


def test_brackets_within_strings_are_no_nesting() -> None:
    """Only what is open at the same time counts as depth."""
    text = json.dumps(["[{" * 1000, '"[\\', *([[]] * 1000)]).encode()
    assert read_json(text) == json.loads(text)
    assert read_json(b"[" * DEEPEST + b"]" * DEEPEST)


def test_a_byte_order_mark_is_passed_over() -> None:
    """RFC 8259, section 8.1, allows that."""
    assert read_json(b"\xef\xbb\xbf[1]") == [1]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | st.text(alphabet='[]{}",:\\0aeE-. ', max_size=300).map(str.encode))
def test_any_bytes_are_json_or_a_value_error(data: bytes) -> None:
    """No other exception, whatever a server sends."""
    try:
        value = read_json(data)
    except ValueError:
        return
    assert value == json.loads(data.decode("utf-8-sig"))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="$.['\"]0-19ab\\ü ", max_size=40))
def test_any_text_is_a_path_or_a_value_error(text: str) -> None:
    """What is a path finds something or nothing in any value."""
    try:
        path = JsonPath.parsed(text)
    except ValueError:
        return
    with suppress(AbsentError):
        path.find(VALUE)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=100).map(lambda tail: b'["' + b'\\"' * 20_000 + tail + b"[" * 100))
def test_hostile_quotes_cost_no_more_than_their_length(data: bytes) -> None:
    """A string that never ends is looked at once, not once for each quote in it."""
    with pytest.raises(ValueError, match=r".+"):
        read_json(data)
