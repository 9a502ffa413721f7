import pytest

from healthd.cli import answers
from healthd.cli.answers import Server
from healthd.cli.draining import counts, ended
from tests.support import control_answers as made


def drained(
    *, active: int | None = 0, inactive: int | None = 0, persistent: int | None = 0, cut: bool = False
) -> Server:
    override = made.override(cut=cut, until=made.AT + 240)
    return answers.server(
        made.server(state="drain", active=active, inactive=inactive, persistent=persistent, override=override)
    )


@pytest.mark.parametrize(
    "server",
    [
        drained(active=1),
        drained(inactive=1),
        drained(persistent=1),
        drained(active=None, inactive=None, persistent=None),
    ],
    ids=["active", "inactive", "persistent", "not counted yet"],
)
def test_what_is_waited_for(server: Server) -> None:
    """Open connections, ones that are closing, and clients who are promised to come back to this server."""
    assert ended(server, frozen=False) is None


@pytest.mark.parametrize(
    ("server", "well"),
    [
        (drained(), True),
        (drained(active=9, cut=True), True),
        (answers.server(made.server(state="drain", weight=None, override=made.override())), True),
        (None, True),
        (answers.server(made.server()), False),
        (answers.server(made.server(override=made.override("ready", weight="50%"))), False),
    ],
    ids=["empty", "cut", "not in the table", "gone", "made ready", "made ready with a weight"],
)
def test_when_the_waiting_ends(server: Server | None, *, well: bool) -> None:
    """With nobody left, cut, not in the table or not configured any more; and when somebody else ended the drain."""
    end = ended(server, frozen=False)
    assert end is not None
    assert end.well is well


def test_a_frozen_table_still_sends_connections() -> None:
    """That there are none at the moment means nothing then."""
    assert ended(drained(), frozen=True) is None


def test_how_counts_are_told() -> None:
    """With the time that is left until the server is cut."""
    assert counts(drained(active=12, inactive=3), made.AT) == "12 active, 3 inactive, 0 persistent; cut in 4m"
