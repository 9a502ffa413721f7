"""A checker's dataclass is all that is needed for its options to be validated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from healthd.config import Config

Refuses = Callable[[str], list[str]]
Loads = Callable[[str], Config]

PLUGIN = """
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from checkers.base import Checker, OptionError, Outcome, Target, passed


@dataclass(frozen=True, kw_only=True)
class Step:
    send: str
    times: int = 1

    def __post_init__(self) -> None:
        if self.times < 1:
            raise OptionError("times", "must be at least 1")


@dataclass(frozen=True, kw_only=True)
class Every(Checker):
    text: str
    number: float = 0.5
    flag: bool = False
    json: Path | None = None
    secret: int = field(default=0, repr=False)
    mode: Literal["a", "b"] | int = "a"
    pairs: tuple[tuple[str, int], ...] = ()
    table: dict[str, tuple[int, ...]] = field(default_factory=dict)
    words: str | tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    made: str = field(init=False, default="here")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.text == "option":
            raise OptionError("text", "is not to my liking")
        if self.text == "crash":
            raise RuntimeError("out of\\ncheese")

    async def check(self, target: Target) -> Outcome:
        return passed("L7OK")


@dataclass(frozen=True, kw_only=True)
class Odd(Checker):
    what: "object | Callable[[int], int]" = None

    async def check(self, target: Target) -> Outcome:
        return passed("L7OK")
"""

HEAD = """[healthd]
plugin_dir = "{folder}"
[service.web]
virtual = "10.0.0.1:80"
[[service.web.server]]
address = "10.0.0.11"
[service.web.check]
type = "mine:{kind}"
"""


@pytest.fixture
def head(tmp_path: Path) -> str:
    """Eight lines, and what follows is in the table of a check of that kind."""
    (tmp_path / "mine.py").write_text(PLUGIN)
    return HEAD.format(folder=tmp_path, kind="Every")


def test_options_arrive_in_the_types_of_the_fields(loads: Loads, head: str) -> None:
    """Arrays become tuples, tables of a dataclass become that, and what is left out keeps the field's default."""
    config = loads(
        head
        + """
        address = "2001:DB8::1"
        port = 8080
        text = "x"
        number = 2
        json = "/tmp/x"
        mode = 5
        pairs = [["a", 1], ["b", 2]]
        table = { even = [2, 4], odd = [] }
        words = ["one", "two"]
        steps = [{ send = "a" }, { send = "b", times = 2 }]
        """
    )
    checker: object = config.services[0].checks[0].checker
    found = {name: getattr(checker, name) for name in ("address", "port", "number", "mode", "pairs", "table", "words")}
    assert found == {
        "address": "2001:db8::1",
        "port": 8080,
        "number": 2.0,
        "mode": 5,
        "pairs": (("a", 1), ("b", 2)),
        "table": {"even": (2, 4), "odd": ()},
        "words": ("one", "two"),
    }
    assert getattr(checker, "json", None) == Path("/tmp/x")
    assert getattr(checker, "flag", None) is False
    assert [(step.send, step.times) for step in getattr(checker, "steps", ())] == [("a", 1), ("b", 2)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("flag = 1", "flag: expected true or false, not 1 (an integer)"),
        ("flag = 'true'", 'flag: expected true or false, not "true" (a string)'),
        ("number = '1'", 'number: expected a number, not "1" (a string)'),
        ("number = true", "number: expected a number, not true (a boolean)"),
        ("number = nan", "number: expected a finite number, not nan (a number)"),
        ("json = 5", "json: expected a string, not 5 (an integer)"),
        ("secret = 'hunter2'", "secret: expected an integer, not a string"),
        ("mode = 'bb'", 'mode: expected "a" or "b" or an integer, not "bb"; did you mean "b"?'),
        ("pairs = [['a', '1']]", 'pairs[0][1]: expected an integer, not "1" (a string)'),
        ("table = { odd = [1, 2.5] }", "table.odd[1]: expected an integer, not 2.5 (a number)"),
        ("words = 5", "words: expected a string or an array, not 5 (an integer)"),
        ("words = ['a', 5]", "words[1]: expected a string, not 5 (an integer)"),
        (
            "steps = { send = 'a' }",
            "steps: expected an array, not a table; elements that are tables are written [[...]]",
        ),
        ("steps = [{ sned = 'a' }]", 'steps[0].sned: unknown key; did you mean "send"?'),
        ("steps = [{ send = 'a', times = 0 }]", "steps[0].times: must be at least 1"),
        ("made = 'there'", 'made: unknown key; did you mean "mode"?'),
        (
            "xyzzy = 1",
            "xyzzy: unknown key; allowed here: address, fall, fast_interval, flag, interface, interval, json, mark, ",
        ),
    ],
)
def test_a_value_is_not_bent_into_a_type(refuses: Refuses, head: str, line: str, message: str) -> None:
    """Each mistake is named at its very place, also inside arrays, tables and unions; secrets are not repeated."""
    (said,) = {text for text in refuses(f'{head}text = "x"\n{line}\n') if "missing" not in text}
    assert said.startswith(f"10: service.web.check.{message}")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('text = "option"', "9: service.web.check.text: is not to my liking"),
        ('text = "crash"', "7: service.web.check: Every refuses it: RuntimeError: out of cheese"),
        ("port = 80", '7: service.web.check: missing key "text"'),
    ],
)
def test_what_a_plugin_raises_ends_in_a_message(refuses: Refuses, head: str, line: str, message: str) -> None:
    """A plugin that raises, whatever it raises, is an error of the configuration and not the end of healthd."""
    assert refuses(head + line) == [message]


def test_a_field_that_toml_cannot_fill_is_the_authors_mistake(refuses: Refuses, head: str) -> None:
    """The message names the class, at the type that asked for it."""
    (said,) = refuses(head.replace("mine:Every", "mine:Odd"))
    assert said.startswith("8: service.web.check.type: Odd has an option of a type that cannot be configured: ")
