from __future__ import annotations

from dataclasses import replace

import pytest

from healthd.policy import Standing
from healthd.snapshot import CheckView, ServerView, ServiceView, Snapshot
from healthd.verdict import Health
from tests.support.building import FAIL, KEY, OTHER_KEY, PASS, SORRY, UNKNOWN, A, B, check, server, service
from tests.support.controlling import Running, table

TWO = [check("tcp"), check("http")]


def test_a_snapshot_shows_everything_and_stays_as_it_is() -> None:
    """Frozen values: what is read once does not change while the world goes on."""
    run = Running(service(server(A, 2), B, fallback=SORRY), actual=table((A, 2)))
    run.ask(A, "FU")
    seen = run.controller.snapshot
    run.ask(A, "FF")
    failed = CheckView(
        "tcp", Health.UP, settled=False, last=UNKNOWN, unknowns=1, kind="always", progress="1/3", age=0.0
    )
    never = CheckView("tcp", Health.UNDECIDED, settled=False, last=None, unknowns=0, kind="always")
    now = run.clock.wall()
    assert seen == Snapshot(
        (
            ServiceView(
                name="web",
                virtual="192.168.7.110:80/tcp",
                standing=Standing.SERVED,
                available=1,
                fallback_active=False,
                fail_open=False,
                fallback=str(SORRY),
                scheduler="wlc",
                servers=(
                    ServerView("10.0.0.1", 80, Health.UP, 2, 2, (failed,), since=now),
                    ServerView("10.0.0.2", 80, Health.UNDECIDED, None, 1, (never,), since=now),
                ),
            ),
        ),
        at=now,
    )
    assert run.controller.snapshot.services[0].standing is Standing.STARTING


def test_the_last_outcome_shown_is_that_of_the_check_that_speaks_against_the_server() -> None:
    """Of several checks people want to see the one that failed; of none, the first."""
    run = Running(service(A, checks=TWO), service(A, name="idle", key=OTHER_KEY, checks=[]), actual=table((A, 1)))
    run.ask(A, "P", "tcp")
    run.ask(A, "FFF", "http")
    web, idle = run.controller.snapshot.services
    assert web.servers[0].last == FAIL
    assert idle.servers[0].last is None
    run.ask(A, "PP", "http")
    assert run.controller.snapshot.services[0].servers[0].last == PASS


@pytest.mark.parametrize(("services", "servers"), [(1, 1000), (1000, 1)])
def test_a_large_snapshot_has_pauses(services: int, servers: int) -> None:
    """Whether there are many servers in a service or many services: nobody waits for more than some of them."""
    ends = [A._replace(port=port) for port in range(1, servers + 1)]
    keys = [replace(KEY, port=port) for port in range(1, services + 1)]
    run = Running(*(service(*ends, name=f"web{number}", key=key) for number, key in enumerate(keys)))
    assert 9 <= len(list(run.controller.snapshot_slices())) <= 30
