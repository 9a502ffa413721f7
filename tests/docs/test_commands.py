"""The page of the commands shows what they print, and names them all."""

import re

import pytest

from healthd.cli import COMMANDS
from tests.docs import captures

PAGE = captures.PAGE.read_text()
PICTURES = [(match[0], int(match[1]), match[2]) for match in captures.BLOCK.finditer(PAGE)]


@pytest.mark.parametrize(("block", "columns", "command"), PICTURES, ids=[f"{c} at {n}" for _, n, c in PICTURES])
def test_pictures(block: str, columns: int, command: str) -> None:
    """As a person sees them today; `python -m tests.docs.captures` draws them anew."""
    assert captures.drawn(block) == block


def test_there_are_pictures() -> None:
    """The comments that they are known by are found."""
    assert len(PICTURES) == PAGE.count("<!-- capture ") > 5


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_on_the_page(command: str) -> None:
    """In the table on top, and with a section of its own."""
    assert re.search(rf"^\| \[`healthd {command}", PAGE, re.MULTILINE)
    assert re.search(rf"^## healthd .*\b{command}\b", PAGE, re.MULTILINE)
