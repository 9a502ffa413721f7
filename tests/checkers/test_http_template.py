from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.http_template import Template

VALUES = {"token": 'a "b"&c/ü', "n_1": "5"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("", ""),
        ("no place, $5 {token} $token", "no place, $5 {token} $token"),
        ("${token}", 'a "b"&c/ü'),
        ("x${n_1}y${n_1}", "x5y5"),
        ("/p?t=${token:url}&n=${n_1}", "/p?t=a%20%22b%22%26c%2F%C3%BC&n=5"),
        ('{"t": "${token:json}"}', '{"t": "a \\"b\\"&c/\\u00fc"}'),
    ],
)
def test_values_are_put_into_their_places(text: str, filled: str) -> None:
    """As they are, percent-encoded, or as within a JSON text; all else stays."""
    template = Template.parsed(text)
    assert template.filled(VALUES) == filled
    assert template.names <= set(VALUES)


@pytest.mark.parametrize("text", ["${}", "${a b}", "${a:b}", "${1}", "${:url}", "${ä}"])
def test_what_is_no_place(text: str) -> None:
    """It is refused, as it would hardly be meant for the server."""
    with pytest.raises(ValueError, match="is no place for a value: write"):
        Template.parsed(f"/x{text}")


@given(st.text(alphabet="${}:aurl ", max_size=30), st.text(max_size=10))
def test_any_text_is_a_template_or_a_value_error(text: str, value: str) -> None:
    """What was put in is never looked at again."""
    with suppress(ValueError):
        template = Template.parsed(text)
        values = dict.fromkeys(template.names, "${a}" + value)
        assert template.filled(values).count("${a}") >= sum(1 for _, form in template.places if not form)
