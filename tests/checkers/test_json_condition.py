from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkers.base import OptionError
from checkers.json_condition import JsonCondition
from checkers.json_path import Json

VALUE: Json = {"s": "up", "n": 5, "f": 0.5, "b": True, "z": None, "a": ["x", 1, [2]], "o": {}}


def objection(path: str, operator: Any, value: Any = None) -> str:
    return JsonCondition(path=path, operator=operator, value=value).objection(VALUE)


@pytest.mark.parametrize(
    ("path", "operator", "value"),
    [
        ("$.s", "==", "up"),
        ("$.s", "!=", "down"),
        ("$.s", "!=", 5),
        ("$.n", "==", 5.0),
        ("$.n", "<", 6),
        ("$.n", "<=", 5),
        ("$.n", ">", 4.5),
        ("$.f", ">=", 0.5),
        ("$.s", ">", "down"),
        ("$.b", "==", True),
        ("$.s", "contains", "u"),
        ("$.a", "contains", 1),
        ("$.s", "matches", "^up?$"),
        ("$.z", "exists", None),
        ("$.z", "exists", True),
        ("$.y", "exists", False),
        ("$.a[2][0]", "==", 2),
    ],
)
def test_a_condition_that_holds(path: str, operator: str, value: object) -> None:
    """Equality, order, parts, expressions and presence."""
    assert objection(path, operator, value) == ""


@pytest.mark.parametrize(
    ("path", "operator", "value", "why"),
    [
        ("$.s", "==", "down", 'JSON $.s is "up"; expected == "down"'),
        ("$.s", "!=", "up", 'JSON $.s is "up"; expected != "up"'),
        ("$.n", "==", "5", 'JSON $.n is 5; expected == "5"'),
        ("$.b", "==", 1, "JSON $.b is true; expected == 1"),
        ("$.b", "<", 2, "JSON $.b is true; expected < 2"),
        ("$.n", "<", 5, "JSON $.n is 5; expected < 5"),
        ("$.n", "<", "6", 'JSON $.n is 5; expected < "6"'),
        ("$.z", "==", "null", 'JSON $.z is null; expected == "null"'),
        ("$.a", "contains", "1", 'JSON $.a is an array of 3; expected contains "1"'),
        ("$.s", "contains", 1, 'JSON $.s is "up"; expected contains 1'),
        ("$.n", "contains", "5", 'JSON $.n is 5; expected contains "5"'),
        ("$.n", "matches", "5", 'JSON $.n is 5; expected matches "5"'),
        ("$.o", "==", "{}", 'JSON $.o is an object of 0; expected == "{}"'),
        ("$.y", "!=", 1, 'JSON $.y: $ has no member "y", only "s", "n", "f", "b", "z" and 2 more; expected != 1'),
        ("$.o.x", "exists", None, 'JSON $.o.x: $.o has no member "x", only none at all; expected a value there'),
        ("$.s", "exists", False, 'JSON $.s is "up"; expected no value there'),
    ],
)
def test_a_condition_that_does_not_hold(path: str, operator: str, value: object, why: str) -> None:
    """The reason has the value that was found and the one that was expected, and types are told apart."""
    assert objection(path, operator, value) == why


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"path": "status", "value": 1}, "path", '"status" is no path: must start with "$"'),
        ({"path": "$..x", "value": 1}, "path", "expected .name, ['any name'] or [0] where it says"),
        ({"path": "$.s"}, "value", "missing: what the value at $.s is compared with"),
        ({"path": "$.s", "operator": "exists", "value": "yes"}, "value", "for exists is true, or false"),
        ({"path": "$.s", "operator": "<", "value": True}, "value", "for < must be a number or a text, not true"),
        ({"path": "$.s", "operator": "matches", "value": 1}, "value", "for matches must be a regular expression"),
        ({"path": "$.s", "operator": "matches", "value": "("}, "value", '"(" is not a regular expression: missing )'),
    ],
)
def test_conditions_that_cannot_work_are_refused(options: dict[str, Any], option: str, message: str) -> None:
    """The error names the key and says what it should be."""
    with pytest.raises(OptionError) as caught:
        JsonCondition(**options)
    assert caught.value.option == option
    assert message in str(caught.value)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)


@settings(max_examples=300, deadline=None)
@given(
    value=st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner)),
    operator=st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "contains", "matches", "exists"]),
    wanted=st.sampled_from(["a", 1, 0.5]),
)
def test_any_value_can_be_judged(value: Json, operator: Any, wanted: Any) -> None:
    """The answer is "" or a printable reason, for values of every type."""
    if operator == "exists":
        wanted = None
    if operator == "matches":
        wanted = "a"
    assert JsonCondition(path="$", operator=operator, value=wanted).objection(value).isprintable()


SCALARS = st.sampled_from([None, True, False, 0, 1, 1.0, 0.0, 5, "1", "", [], [1], {}])


@given(st.lists(SCALARS, max_size=8), st.sampled_from([True, False, 0, 1, 1.0, 5, "1", ""]))
def test_an_element_is_found_by_its_type_and_value(elements: list[Json], wanted: Any) -> None:
    """Python takes 1, 1.0 and true for equal; JSON does not take a number for a boolean."""
    is_boolean = isinstance(wanted, bool)
    alike = [element for element in elements if element == wanted and isinstance(element, bool) is is_boolean]
    objection = JsonCondition(path="$", operator="contains", value=wanted).objection(elements)
    assert (objection == "") is bool(alike)
