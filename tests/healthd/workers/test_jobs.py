from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from checkers.base import Checker, Code, Outcome, Status
from checkers.combined import Any as Any_
from checkers.part import Part
from healthd.clock import SystemClock
from healthd.engine.boundary import run_check
from healthd.plan import Job, make
from healthd.verdict import Health, Verdict
from healthd.workers.jobs import Assigned, Assignment, Hello, pickled, unpickled
from tests.support.building import FAIL, A, B, check, config, service
from tests.support.pooling import checker

INNER = Part(kind="any", checker=Any_(part=(Part(kind="https", checker=checker("https", verify=False)),)))
OPTIONS: dict[str, dict[str, Any]] = {
    "all": {"part": (Part(kind="tcp", checker=checker("tcp", port=81)), INNER)},
    "always": {"state": "down"},
    "command": {"command": ("/bin/true", "{address}"), "environment": {"PASSWORD": "secret"}},
    "dialog": {"send": "PING\r\n", "expect": "PONG"},
    "dns": {"name": "example.com"},
    "http": {"path": "/health", "expect_regex": "o+k", "expect_header": {"server": "ngin."}},
    "https": {"path": "/health", "verify": False},
    "ping": {},
    "tcp": {"port": 81},
}


def jobs(checker: Checker, kind: str) -> list[Job]:
    made = dataclasses.replace(check(checker=checker), kind=kind)
    return list(make(config(service(A, B, checks=[made]))).jobs.values())


def through(given: list[Job], plugin_dir: Path) -> list[Job]:
    """The jobs as a worker has them."""
    assigned = [Assigned(number, job, Verdict()) for number, job in enumerate(given)]
    message = unpickled(pickled(Assignment((), assigned), plugin_dir))
    assert isinstance(message, Assignment)
    return [one.job for one in message.added]


@pytest.mark.parametrize("kind", OPTIONS)
def test_jobs_of_every_kind_travel(kind: str, tmp_path: Path) -> None:
    """With all their options, and what they have prepared for themselves is prepared anew."""
    given = jobs(checker(kind, **OPTIONS[kind]), kind)
    found = through(given, tmp_path)
    assert found == given
    assert found[0].check.checker is not given[0].check.checker


def test_a_check_of_many_jobs_is_made_once(tmp_path: Path) -> None:
    """Thousands of servers do not load a certificate thousands of times."""
    first, second = through(jobs(checker("tcp"), "tcp"), tmp_path)
    assert first.check is second.check


def test_the_rest_of_what_a_worker_is_told_travels(tmp_path: Path) -> None:
    """How to log, what is dropped, and how far the counting has come."""
    hello = Hello("json", "debug", 1.5)
    assert unpickled(pickled(hello, tmp_path)) == hello
    (job, _) = jobs(checker("tcp"), "tcp")
    assignment = Assignment([3, 4], [Assigned(7, job, Verdict(Health.UP, (FAIL,)))])
    assert unpickled(pickled(assignment, tmp_path)) == assignment


PLUGIN = """
from dataclasses import dataclass
from checkers.base import Checker, OptionError, passed
@dataclass(frozen=True, kw_only=True)
class Mine(Checker):
    word: str = ""
    async def check(self, target):
        return passed("L7OK", self.word)
"""
REFUSES = PLUGIN + "    def __post_init__(self):\n        raise OptionError('word', 'no')\n"


async def answer(job: Job) -> Outcome:
    outcome = await run_check(job.check.checker, job.target, 5, SystemClock())
    return dataclasses.replace(outcome, seconds=0.0)


async def test_plugins_are_loaded_by_the_worker(tmp_path: Path) -> None:
    """From plugin_dir, as in the main process."""
    (tmp_path / "own.py").write_text(PLUGIN)
    found = through(jobs(checker("own:Mine", tmp_path, word="hello"), "own:Mine"), tmp_path)
    assert await answer(found[0]) == Outcome(Status.PASS, "L7OK", "hello")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (None, 'check kind "own:Mine": not found in plugin_dir: '),
        ("1 / 0", "ZeroDivisionError"),
        (PLUGIN.replace("word", "text"), "refuses its options: TypeError: "),
        (REFUSES, "refuses its options: OptionError: no"),
    ],
)
async def test_a_plugin_that_has_changed_meanwhile_is_unknown(tmp_path: Path, source: str | None, says: str) -> None:
    """The worker goes on with its other checks; this one cannot be carried out, and says why."""
    file = tmp_path / "own.py"
    file.write_text(PLUGIN)
    given = jobs(checker("own:Mine", tmp_path, word="hello"), "own:Mine")
    file.unlink()
    if source is not None:
        file.write_text(source)
    outcome = await answer(through(given, tmp_path)[0])
    assert (outcome.status, outcome.code) == (Status.UNKNOWN, Code.CRASH)
    assert outcome.detail.startswith("the worker cannot carry it out: ")
    assert says in outcome.detail
