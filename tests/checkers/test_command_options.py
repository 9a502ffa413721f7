from typing import Any

import pytest

from checkers.base import OptionError
from checkers.command import Command


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        (
            {"command": ()},
            "command",
            'must name a program, as in ["/usr/local/bin/check-web", "{address}"]',
        ),
        (
            {"command": ("x", "--to={adress}")},
            "command",
            'unknown placeholder "{adress}"; did you mean "{address}"? "{{adress}}" is the text itself',
        ),
        (
            {"command": ("x", "{zzz}")},
            "command",
            (
                'unknown placeholder "{zzz}"; known are address, port, protocol, service, server, server_address, '
                "server_port, virtual, virtual_address, virtual_port, fwmark, source, interface, mark; "
                '"{{zzz}}" is the text itself'
            ),
        ),
        ({"command": ("x", "a\0b")}, "command", r'"a\x00b": cannot hold a NUL character'),
        (
            {"command": ("x",), "environment": {"A=B": "c"}},
            "environment",
            '"A=B" cannot be set: no empty name, no =, no NUL character',
        ),
        ({"command": ("x",), "output_limit": 0}, "output_limit", "must be from 1 to 1048576 bytes, not 0"),
        (
            {"command": ("x",), "expect": "OK"},
            "expect",
            'is for style = "nanny"; with style = "plain" the exit status decides',
        ),
        (
            {"command": ("x",), "style": "nagios", "dynamic": True},
            "dynamic",
            'is for style = "keepalived"; with style = "nagios" it means nothing',
        ),
        (
            {"command": ("x",), "style": "mon", "output": "json"},
            "output",
            '"json" is for style = "plain"; checks of style "mon" know no JSON',
        ),
        (
            {"command": ("x",), "style": "nanny", "expect": "OK", "output_limit": 3},
            "output_limit",
            "must be at least 4 to hold what expect asks for",
        ),
    ],
)
def test_options_that_cannot_work(options: dict[str, Any], option: str, message: str) -> None:
    """Each is refused when the configuration is read, and the message says what to write instead."""
    with pytest.raises(OptionError) as caught:
        Command(**options)
    assert (caught.value.option, str(caught.value)) == (option, message)


def test_the_environment_is_not_printed() -> None:
    """A password given to a script stays out of every repr, and so out of logs."""
    assert "hunter2" not in repr(Command(command=("x",), environment={"PASSWORD": "hunter2"}))
