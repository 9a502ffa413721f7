import pytest

from checkers.base import OptionError, Target
from checkers.placeholders import NAMES, check_placeholders, facts, filled

TARGET = Target(address="2001:db8::1", port=8080, service="web", virtual_address="192.0.2.1", virtual_port=80)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/run/{service}/{address}", "/run/web/2001:db8::1"),
        ("{server} {virtual}", "[2001:db8::1]:8080 192.0.2.1:80"),
        ("{{address}} {} {a b} ${HOME}", "{address} {} {a b} ${HOME}"),
        ("{source}{interface}{mark}", "0"),
    ],
)
def test_what_placeholders_stand_for(text: str, expected: str) -> None:
    """Each for what it names; other braces are left alone."""
    check_placeholders("path", text)
    assert filled(text, facts(TARGET)) == expected


def test_every_name_is_known() -> None:
    """For any target, and with no other names than these."""
    assert tuple(facts(TARGET)) == NAMES
    for name in NAMES:
        check_placeholders("path", f"{{{name}}}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{adress}", 'unknown placeholder "{adress}"; did you mean "{address}"? "{{adress}}" is the text itself'),
        ("a\0", r'"a\x00": cannot hold a NUL character'),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    """With the option that it stands in."""
    with pytest.raises(OptionError) as caught:
        check_placeholders("path", text)
    assert (caught.value.option, str(caught.value)) == ("path", message)
