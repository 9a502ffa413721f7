from __future__ import annotations

from dataclasses import replace

import pytest

from healthd.overrides import Admin, Freeze, Override
from healthd.plan import make
from healthd.views import finished
from healthd.vitals import Signs, pace_of, stalled, summary
from tests.support.building import OTHER_KEY, A, B, C, check, config, service
from tests.support.controlling import Running, table

NOW = 10_000.0
ALIVE = Signs(outcome_at=NOW - 5, pace=8.0, table_at=NOW - 10, table_pace=10.0)


@pytest.mark.parametrize(
    ("signs", "why"),
    [
        (ALIVE, ""),
        (replace(ALIVE, outcome_at=NOW - 31), ""),
        (replace(ALIVE, outcome_at=NOW - 32), "no check has ended for 32 s, where one is due every 8 s"),
        (replace(ALIVE, outcome_at=0.0, pace=None), ""),
        (replace(ALIVE, table_at=NOW - 35), ""),
        (replace(ALIVE, table_at=NOW - 36), "the table has not answered for 36 s, where it is asked every 10 s"),
        (
            Signs(outcome_at=NOW - 100, pace=1.5, table_at=NOW - 50, table_pace=0.2),
            (
                "no check has ended for 100 s, where one is due every 1.5 s; "
                "the table has not answered for 50 s, where it is asked every 0.2 s"
            ),
        ),
        (Signs(outcome_at=0.0, pace=None, table_at=NOW - 50, table_pace=3600.0), ""),
    ],
)
def test_alive_means_that_checks_end_and_the_table_answers(signs: Signs, why: str) -> None:
    """Either is enough to be stalled, and it is said by how much; without checks only the table counts."""
    assert stalled(signs, NOW) == why


def test_the_quickest_check_sets_the_pace() -> None:
    """Its interval, and its timeout: a server that hangs keeps each check waiting so long."""
    slow, quick = check("slow", interval=3600.0, timeout=60.0), check("quick", interval=5.0, timeout=3.0)
    assert pace_of(make(config(service(A, checks=[slow, quick]))).jobs) == 8.0
    assert pace_of(make(config(service(A, checks=[]))).jobs) is None


def test_the_summary_counts_states() -> None:
    """Totals, states that occur, and the table: one line for `systemctl status`."""
    run = Running(service(A, B, C), service(A, name="other", key=OTHER_KEY), actual=table((A, 1), (B, 1), (C, 1)))
    run.ask(B, "FFF")
    run.controller.override_all("web", {C: Override(admin=Admin.MAINTENANCE)})
    assert summary(run.controller.snapshot, ()) == (
        "2 services, 4 servers: 1 up, 1 down, 1 undecided, 1 in maintenance; table as it should be"
    )


def test_what_is_unusual_is_in_the_summary() -> None:
    """A service that nobody serves, a table that refuses edits or is frozen."""
    run = Running(service(A), actual=table((A, 1)))
    run.ask(A, "FFF")
    lost = "1 service, 1 server: 1 down; 1 service without a server; table "
    assert summary(run.controller.snapshot, ("-e x: no", "-e y: no")) == (
        f"{lost}not as it should be: -e x: no (and 1 more)"
    )
    run.controller.frozen = Freeze(since=0.0, until=None, who="root", reason="")
    assert summary(run.controller.snapshot, ()) == f"{lost}frozen by an operator"
    assert summary(Running().controller.snapshot, ()) == "0 services, 0 servers; table as it should be"


def test_an_error_cannot_break_the_line() -> None:
    """systemd takes a line for an assignment."""
    assert "\n" not in summary(finished(Running().controller.snapshot_slices()), (f"a\nMAINPID=1{'x' * 9000}",))
