from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from checkers.base import OptionError, Status, Target
from checkers.push import Push
from healthd.clock import SystemClock
from healthd.engine.boundary import run_check

TOKEN = "t" * 20


@pytest.fixture
def token_file(tmp_path: Path) -> str:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return str(path)


def test_the_token_itself_is_not_kept(token_file: str) -> None:
    """Only its digest, and that is not shown."""
    checker = Push(token_file=token_file, deadline="90s")
    assert (checker.digest, checker.seconds) == (hashlib.sha256(TOKEN.encode()).digest(), 90.0)
    assert TOKEN not in repr(vars(checker)) + repr(checker)


async def test_a_single_check_can_say_nothing(token_file: str) -> None:
    """With `healthd probe` or `check --once` there is nobody who takes reports: no server goes down by that."""
    outcome = await run_check(Push(token_file=token_file), Target(address="10.0.0.1"), 1.0, SystemClock())
    assert outcome.status is Status.UNKNOWN
    assert outcome.detail == "nothing is asked: reports come to `healthd run`"


@pytest.mark.parametrize("token", ["short", "with a space in it, twenty", "x" * 201, "ümlaut-ümlaut-ümlaut"])
def test_a_token_that_is_none(tmp_path: Path, token: str) -> None:
    """The message says what one is, and nothing of what there was."""
    path = tmp_path / "token"
    path.write_text(token)
    with pytest.raises(OptionError, match="a token has 20 to 200 characters") as caught:
        Push(token_file=str(path))
    assert caught.value.option == "token_file"
    assert token not in str(caught.value)


def test_options_that_cannot_work(token_file: str) -> None:
    """Nobody is asked, so nothing is sent from anywhere; and the deadline is a time."""
    for options, option in (
        ({"deadline": "5"}, "deadline"),
        ({"source": "10.0.0.9"}, "source"),
    ):
        with pytest.raises(OptionError) as caught:
            Push(token_file=token_file, **options)  # type: ignore[arg-type] # wrong on purpose
        assert caught.value.option == option
    with pytest.raises(OptionError, match="none-there"):
        Push(token_file=f"{token_file}-none-there")
