"""What the checkers of databases have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checkers.base import Checker, Failed, OptionError
from checkers.mysql import Mysql
from checkers.oracle import Oracle
from checkers.postgres import Postgres
from checkers.sql import Answer

both = pytest.mark.parametrize("kind", [Postgres, Mysql])


def complaint(kind: type[Checker], **options: Any) -> tuple[str, str]:
    with pytest.raises(OptionError) as error:
        kind(**options)
    return error.value.option, str(error.value)


@both
@pytest.mark.parametrize("option", ["password_file", "database", "query", "role"])
def test_without_a_user_there_is_only_the_handshake(kind: type[Checker], option: str) -> None:
    """What needs a login is refused without one."""
    value = "/proc/sys/kernel/ostype" if option == "password_file" else "primary"
    said = "needs user: without it nobody logs in, only the handshake is looked at"
    assert complaint(kind, **{option: value}) == (option, said)


@both
@pytest.mark.parametrize(
    ("options", "option", "said"),
    [
        ({"user": ""}, "user", "must not be empty, and hold no NUL"),
        ({"query": "SELECT\0"}, "query", "must not be empty, and hold no NUL"),
        ({"database": ""}, "database", "must not be empty, and hold no NUL"),
        ({"expect": "1"}, "expect", "needs query, whose answer this is about"),
        ({"min_rows": 2}, "min_rows", "needs query, whose answer this is about"),
        ({"query": "SELECT 1", "min_rows": 1001}, "min_rows", "must be from 0 to 1000, not 1001"),
        (
            {"query": "SELECT 1", "min_rows": 0, "expect": "1"},
            "min_rows",
            "cannot be 0 beside expect, which needs a row",
        ),
        ({"ca_file": "/etc/ca"}, "ca_file", "has no effect without tls = true"),
    ],
)
def test_options_that_cannot_work(kind: type[Checker], options: dict[str, Any], option: str, said: str) -> None:
    """They are refused by name."""
    assert complaint(kind, **{"user": "probe", **options}) == (option, said)


def test_oracle_needs_a_login() -> None:
    """There is no form without one, and the socket is the library's."""
    assert complaint(Oracle, service="shop")[0] == "user"
    assert complaint(Oracle, service="shop", user="probe")[0] == "password_file"
    assert complaint(Oracle, service="", user="probe")[0] == "service"
    login = {"service": "shop", "user": "probe", "password_file": "/proc/sys/kernel/ostype"}
    assert complaint(Oracle, **login, mark=1) == ("mark", "cannot be chosen for a check of this kind: remove mark")


@both
def test_the_way_can_be_chosen_with_and_without_a_login(kind: type[Checker]) -> None:
    """The library is handed a connection of ours."""
    assert kind(source="127.0.0.1").route is not None
    assert kind(user="probe", source="127.0.0.1").route is not None  # type: ignore[call-arg] # either kind has it


@both
def test_a_password_is_in_no_repr(kind: Any, tmp_path: Path) -> None:
    """It is read when the checker is made, and makes a difference between two."""
    (tmp_path / "one").write_text("open sesame\n")
    (tmp_path / "two").write_text("closed sesame\n")
    one = kind(user="probe", password_file=str(tmp_path / "one"))
    assert "sesame" not in repr(one)
    assert one.password == b"open sesame"
    (tmp_path / "one").write_text("closed sesame\n")
    assert kind(user="probe", password_file=str(tmp_path / "one")) != one


def test_answers_are_judged() -> None:
    """An empty row and a NULL are shown as what they are."""
    checker = Postgres(user="probe", query="SELECT", min_rows=0)
    assert checker.judge(Answer(rows=[])).detail == 'logged in as "probe", the query returned 0 rows'
    assert checker.judge(Answer(rows=[[], []])).detail == 'logged in as "probe", the query returned 2 rows'
    said = 'logged in as "probe", the query returned 1 row, the first value is NULL'
    assert checker.judge(Answer(rows=[[None]])).detail == said
    with pytest.raises(Failed, match=r"L7STS it is a primary .* expected a replica"):
        checker.judge(Answer(replica=False, evidence="in recovery: no"), "replica")
