import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkers.json_path import LONGEST_JSON, MOST_CONTAINERS, MOST_SEPARATORS, AbsentError, Json, JsonPath, read_json

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
        (b"[" * 100_000, "more than 8192 arrays and objects"),
        (b'{"a":' * 100_000, "more than 8192 arrays and objects"),
        (b"[" + b"9" * 10_000 + b"]", "Exceeds the limit"),
    ],
)
def test_what_is_no_json(text: bytes, why: str) -> None:
    """Everything that cannot be read is one exception with its reason, and so is what would take long."""
    with pytest.raises(ValueError, match=why):
        read_json(text)


@pytest.mark.parametrize("text", [b"[" * 8000, b'{"a":' * 8000, b"[" * 8000 + b"]" * 8000])
def test_what_goes_deep(text: bytes) -> None:
    """It is read, or is too deep for the parser of this Python, or no JSON; nothing else happens."""

    def read() -> str:
        try:
            return f"read: {type(read_json(text)).__name__}"
        except ValueError as error:
            return str(error)

    read_it = ("read: list",) if text.endswith(b"]") else ("Expecting value",)
    assert read().startswith(("too many arrays and objects within each other", *read_it))


@pytest.mark.parametrize("piece", [b"[],", b"{},", b'{"a":1},', b"[" * 62 + b"]" * 62 + b",", b'"[{",'])
def test_no_text_costs_more_than_its_bound(piece: bytes) -> None:
    """Whatever a server fills it with, no more arrays and objects than so many are made, and as many are read."""
    brackets = piece.count(b"[") + piece.count(b"{")
    within = (MOST_CONTAINERS - 1) // brackets
    full = read_json(b"[" + piece * within + b"0]")
    assert isinstance(full, list)
    assert len(full) == within + 1
    with pytest.raises(ValueError, match=f"more than {MOST_CONTAINERS} arrays"):
        read_json((b"[" + piece * LONGEST_JSON)[:LONGEST_JSON])


def test_a_deep_value() -> None:
    """A hundred arrays within each other are far more than any server's page has."""
    assert read_json(b"[" * 100 + b"]" * 100)


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


def test_many_values() -> None:
    """So many commas and colons are read and no more, in arrays, in objects and, as nobody looks, in texts."""
    assert len(read_json(b"[" + b"1," * MOST_SEPARATORS + b"1]")) == MOST_SEPARATORS + 1  # type: ignore[arg-type]
    members = b",".join(b'"%d":1' % number for number in range(MOST_SEPARATORS // 2))
    assert len(read_json(b"{" + members + b"}")) == MOST_SEPARATORS // 2  # type: ignore[arg-type]
    for text in (
        b"[" + b"1," * (MOST_SEPARATORS + 1) + b"1]",
        b"{" + members + b',"more":1}',
        b'"' + b":" * (MOST_SEPARATORS + 1) + b'"',
    ):
        with pytest.raises(ValueError, match="more than 40000 commas and colons"):
            read_json(text)
