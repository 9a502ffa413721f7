"""Why a server is in its state now."""

from __future__ import annotations

from checkers.base import passed
from checkers.command import Command
from healthd.cli import answers, show
from healthd.control import explaining, shapes
from tests.support.building import A, check, server, service
from tests.support.controlling import Running

ASKS = "asks for weight 70, which adds up with that of other such checks"


def test_a_weight_that_adds_up_is_told_as_such() -> None:
    """Else the weight in the table, which is neither, would be a riddle: to `explain`, and to `show`."""
    script = check("script", checker=Command(command=("/bin/true",), style="keepalived", dynamic=True))
    config = service(server(A, 100), checks=[script])
    run = Running(config)
    run.record(A, passed("PROCOK", "exit status 72", weight=70), "script")
    (view,) = run.controller.snapshot.services
    (shown,) = view.servers
    assert f"check script: {ASKS}" in explaining.now(view, shown, config)["text"]
    told = answers.check(shapes.check(shown.checks[0]))
    assert told.last is not None
    assert show.outcome(told.last, adds_up=told.adds_up).endswith(f"({ASKS})")
