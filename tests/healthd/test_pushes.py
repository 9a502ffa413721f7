from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from checkers.base import Code, Outcome, Status, passed
from checkers.push import Push
from healthd.config.values import ServiceConfig
from healthd.model import Table
from healthd.plan import make
from healthd.pushes import Pushes
from tests.support.building import A, B, check, config, service
from tests.support.controlling import Running, table

TOKEN, OTHER_TOKEN = "t" * 20, "o" * 20
JOB, OTHER = f"web/{A}/push", f"web/{A}/backup"
GOOD, BAD = passed(Code.L7OK, "reports pass"), Outcome(Status.FAIL, Code.L7STS, "reports fail")


class Reporting(Running):
    """A controller, and reports that reach it."""

    def __init__(self, folder: Path, *, fall: str = "3", actual: Table | None = None) -> None:
        for name, token in (("push", TOKEN), ("backup", OTHER_TOKEN)):
            (folder / name).write_text(token)
        self.folder = folder
        super().__init__(self.service(fall=fall), actual=actual or table((A, 1), (B, 1)))
        self.pushes = Pushes(self.clock, self.controller.report)
        self.asked = self.pushes.set_jobs(self.plan.jobs)

    def service(self, *, fall: str = "3", deadline: str = "60s", backup: bool = False) -> ServiceConfig:
        names = ("push", "backup") if backup else ("push",)
        made = [
            replace(
                check(name, checker=Push(token_file=str(self.folder / name), deadline=deadline), fall=fall), kind="push"
            )
            for name in names
        ]
        return service(A, B, checks=[*made, check("tcp")])

    def report(self, outcome: Outcome = GOOD, *, job: str = JOB, token: str = TOKEN) -> bool:
        return self.pushes.report(job, token, outcome)

    def lasts(self) -> list[str]:
        servers = self.controller.snapshot.services[0].servers
        return [str(each.last or "") for each in servers[0].checks if each.name == "push"]


async def test_only_what_is_asked_goes_to_the_scheduler(tmp_path: Path) -> None:
    """Workers never see a check that reports by itself, nor its token."""
    assert sorted(Reporting(tmp_path).asked) == [f"web/{A}/tcp", f"web/{B}/tcp"]


async def test_nothing_is_told_before_the_deadline_has_passed_once(tmp_path: Path) -> None:
    """A server that has not reported since the start is as it was found; then it is late, with its age as evidence."""
    run = Reporting(tmp_path)
    await run.clock.advance(59.9)
    assert (run.lasts(), run.weights()) == ([""], {A: 1, B: 1})
    await run.clock.advance(0.1)
    assert run.lasts() == ["L7TOUT no report yet after 60 s; one is due every 60 s"]
    assert run.weights() == {A: 1, B: 1}
    await run.clock.advance(2)
    assert run.weights() == {A: 0, B: 0}


async def test_a_late_server_is_looked_at_again_and_again(tmp_path: Path) -> None:
    """At the fast interval until it is down, then at the interval: its age is never older than that."""
    run = Reporting(tmp_path)
    run.report()
    await run.clock.advance(62)
    assert run.weights()[A] == 0
    await run.clock.advance(100)
    assert run.lasts() == ["L7TOUT no report for 162 s; one is due every 60 s"]


async def test_reports_count_as_outcomes_do(tmp_path: Path) -> None:
    """Three failures take it out, two passes bring it back; one report is one outcome."""
    run = Reporting(tmp_path)
    for outcome, weight in ((BAD, 1), (BAD, 1), (BAD, 0), (GOOD, 0), (GOOD, 1)):
        await run.clock.advance(30)
        assert run.report(outcome)
        assert run.weights()[A] == weight


async def test_who_reports_in_time_is_never_late(tmp_path: Path) -> None:
    """Each report begins the deadline anew."""
    run = Reporting(tmp_path, fall="1")
    for _ in range(20):
        run.report()
        await run.clock.advance(59)
    assert run.weights()[A] == 1
    assert run.weights()[B] == 0


async def test_a_report_may_ask_for_a_weight(tmp_path: Path) -> None:
    """Like any outcome that passed."""
    run = Reporting(tmp_path)
    run.report(passed(Code.L7OK, weight=0))
    assert run.weights()[A] == 0


async def test_a_token_is_for_its_check_alone(tmp_path: Path) -> None:
    """Another's, none, and one for a check that does not exist are refused alike, and nothing is recorded."""
    run = Reporting(tmp_path)
    run.reload(run.service(backup=True), actual=run.controller.desired)
    run.pushes.set_jobs(run.plan.jobs)
    assert run.report(token=OTHER_TOKEN) is False
    assert run.report(token="") is False
    assert run.report(token="\udcff" * 20) is False
    assert run.report(job=f"web/{A}/tcp") is False
    assert run.report(job="web/10.9.9.9:80/push") is False
    assert run.report(job=OTHER) is False
    assert run.lasts() == [""]
    assert run.report(job=OTHER, token=OTHER_TOKEN) is True
    assert run.report() is True


async def test_a_reload_goes_on_waiting(tmp_path: Path) -> None:
    """Not from the beginning; another deadline counts from the last report, and who is gone is not waited for."""
    run = Reporting(tmp_path, fall="1")
    run.report()
    await run.clock.advance(40)
    run.reload(run.service(fall="1", deadline="50s"), actual=run.controller.desired)
    run.pushes.set_jobs(run.plan.jobs)
    await run.clock.advance(9.9)
    assert run.weights()[A] == 1
    await run.clock.advance(0.2)
    assert run.weights()[A] == 0
    told = len(run.events())
    run.pushes.set_jobs({})
    await run.clock.advance(1000)
    assert (len(run.events()), run.report()) == (0, False)
    assert told


async def test_a_changed_token_is_taken_up_by_a_reload(tmp_path: Path) -> None:
    """The old one is out at once."""
    run = Reporting(tmp_path)
    (tmp_path / "push").write_text("n" * 20)
    assert run.report() is True
    run.pushes.set_jobs(make(config(run.service())).jobs)
    assert run.report() is False
    assert run.report(token="n" * 20) is True


async def test_nothing_is_recorded_after_the_end(tmp_path: Path) -> None:
    """What is withdrawn at a stop does not come back by a report, nor goes down for the want of one."""
    run = Reporting(tmp_path)
    running = asyncio.create_task(run.pushes.run())
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert run.report() is False
    await run.clock.advance(1000)
    assert run.lasts() == [""]


async def test_a_report_is_no_sign_that_checks_advance(tmp_path: Path) -> None:
    """Servers that report every second do not hide that nobody is asked any more."""
    run = Reporting(tmp_path)
    before = run.controller.recorded_at
    await run.clock.advance(30)
    assert run.report()
    assert run.controller.recorded_at == before
    assert run.lasts()[0] == str(GOOD)
