from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from checkers.base import Outcome, Status
from healthd.config.values import CheckConfig
from healthd.model import Table
from healthd.overrides import Admin, Freeze, Override
from healthd.plan import Job, JobId, make
from healthd.remembered import Memory, Past
from healthd.statefile import document, running
from healthd.statefile.running import BELIEVED_FOR, believed
from healthd.verdict import Health, Verdict
from tests.support.building import FAIL, A, B, C, check, config, service
from tests.support.controlling import table

NOW = 1_800_000_000.0
PLAN = make(config(service(A, B)))
JOB = JobId("web/10.0.0.1:80/tcp")
DRAIN = Override(admin=Admin.DRAIN, who="root", since=NOW)
MEMORY = Memory(
    verdicts={JOB: Verdict(Health.UP, (FAIL,)), JobId("web/10.0.0.2:80/tcp"): Verdict(Health.DOWN)},
    causes={JobId("web/10.0.0.2:80/tcp"): FAIL},
    pasts={("web", B): Past(NOW - 60, 3)},
    overrides={("web", A): DRAIN, ("gone", C): Override(admin=Admin.MAINTENANCE)},
    drained=frozenset({("web", A)}),
    frozen=Freeze(since=NOW, until=None, who="root", reason="look"),
    at=NOW,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return running.path_in(tmp_path)


def checks(jobs: dict[JobId, Job] | None = None) -> dict[JobId, CheckConfig]:
    return {name: job.check for name, job in (jobs or PLAN.jobs).items()}


def loaded(path: Path, at: float = NOW, jobs: dict[JobId, Job] | None = None) -> Memory:
    memory, trouble = running.load(path, PLAN.jobs if jobs is None else jobs, at)
    assert trouble == ""
    return memory


def test_what_is_saved_is_loaded(path: Path) -> None:
    """All of it."""
    running.save(path, MEMORY, checks(), NOW)
    assert loaded(path) == MEMORY


def test_verdicts_grow_old_and_overrides_do_not(path: Path) -> None:
    """After ten minutes nobody knows how the servers are; what an operator wanted he still wants."""
    running.save(path, MEMORY, checks(), NOW)
    assert loaded(path, NOW + BELIEVED_FOR).verdicts == MEMORY.verdicts
    old = loaded(path, NOW + BELIEVED_FOR + 1)
    assert (old.verdicts, old.causes, old.pasts) == ({}, {}, {})
    assert (old.overrides, old.drained, old.frozen) == (MEMORY.overrides, MEMORY.drained, MEMORY.frozen)


def test_a_clock_that_was_set_back_prolongs_nothing(path: Path) -> None:
    """What was left when it was saved is at most left now; and nobody knows how old the verdicts are."""
    limited = Override(admin=Admin.DRAIN, since=NOW - 100, until=NOW + 200)
    running.save(path, Memory(overrides={("web", A): limited}, verdicts=MEMORY.verdicts), checks(), NOW)
    memory = loaded(path, NOW - 5000)
    assert memory.overrides["web", A].until == NOW - 5000 + 200
    assert memory.overrides["web", A].since == NOW - 5100
    assert memory.verdicts == {}


def test_after_another_boot_no_verdict_is_believed(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table is empty then."""
    running.save(path, MEMORY, checks(), NOW)
    other = tmp_path / "boot"
    other.write_text("another\n")
    monkeypatch.setattr(document, "BOOT_ID", other)
    assert loaded(path).verdicts == {}
    assert loaded(path).overrides == MEMORY.overrides


def test_a_check_that_was_changed_starts_anew(path: Path) -> None:
    """The verdict of another question says nothing, nor does that of a server that is gone."""
    running.save(path, MEMORY, checks(), NOW)
    changed = make(config(service(A, C, checks=[check(fall="5")])))
    assert loaded(path, jobs=dict(changed.jobs)).verdicts == {}


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", "{}", '{"version": 2}', '{"version": 1, "boot": "", "at": "x"}', "[" * 100_000, "\udc80"],
)
def test_a_damaged_file_is_said_and_is_like_none(path: Path, content: str) -> None:
    """Nothing that stands in it ends the daemon."""
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    memory, trouble = running.load(path, PLAN.jobs, NOW)
    assert memory == Memory()
    assert trouble == f"{path} is damaged: overrides and verdicts of the last run are lost"


@pytest.mark.parametrize("field", ["overrides", "verdicts", "servers", "frozen"])
@pytest.mark.parametrize("value", [1, "x", {"a": 1}, [{"service": 1}], [None]])
def test_a_damaged_part_is_found(path: Path, field: str, value: object) -> None:
    """Each part is looked through as a whole before any of it is believed."""
    running.save(path, MEMORY, checks(), NOW)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {field: value}))
    memory, trouble = running.load(path, PLAN.jobs, NOW)
    assert (memory == Memory()) is bool(trouble)
    assert trouble or field == "verdicts"


def rewritten(path: Path, cause: object) -> None:
    """The file with another cause."""
    running.save(path, MEMORY, checks(), NOW)
    content = json.loads(path.read_text())
    content["verdicts"]["web/10.0.0.2:80/tcp"]["cause"] = cause
    path.write_text(json.dumps(content))


def test_a_file_of_a_release_that_kept_no_causes_is_read(path: Path) -> None:
    """All but them."""
    running.save(path, MEMORY, checks(), NOW)
    content = json.loads(path.read_text())
    for entry in content["verdicts"].values():
        del entry["cause"]
    path.write_text(json.dumps(content))
    assert loaded(path) == replace(MEMORY, causes={})


@pytest.mark.parametrize(
    "cause",
    [
        1,
        "L4CON",
        [],
        {"code": "L4CON"},
        {"code": 1, "detail": "", "seconds": 0.0},
        {"code": "L4CON", "detail": ["refused"], "seconds": 0.0},
        {"code": "L4CON", "detail": "refused", "seconds": math.nan},
        {"code": "L4CON", "detail": "\x1b[2J", "seconds": 0.0},
        {"code": "L4CON", "detail": "\ud800", "seconds": 0.0},
        {"code": "X" * 65, "detail": "", "seconds": 0.0},
        {"code": "L4CON", "detail": "x" * 301, "seconds": 0.0},
    ],
)
def test_a_damaged_cause_is_found(path: Path, cause: object) -> None:
    """Nothing is shown of it: the file is as damaged as with any other value that cannot be."""
    rewritten(path, cause)
    memory, trouble = running.load(path, PLAN.jobs, NOW)
    assert memory == Memory()
    assert trouble == f"{path} is damaged: overrides and verdicts of the last run are lost"


def test_a_cause_is_kept_short_and_printable(path: Path) -> None:
    """A server that sends a novel, or escape sequences, makes no large file and no damaged one."""
    long = Outcome(Status.FAIL, "L7RSP" * 100, "\x1b" + "x" * 10_000, 0.25)
    running.save(path, replace(MEMORY, causes=dict.fromkeys(MEMORY.causes, long)), checks(), NOW)
    (cause,) = loaded(path).causes.values()
    assert (len(cause.code), len(cause.detail)) == (64, 300)
    assert cause.detail.startswith("\\x1bxxx")
    assert cause.detail.endswith("x...")


def test_without_a_file_nothing_is_remembered_and_nothing_said(path: Path) -> None:
    """As at the very first start."""
    assert running.load(path, PLAN.jobs, NOW) == (Memory(), "")


def test_a_file_that_cannot_be_read_is_said(path: Path) -> None:
    """Here a folder stands in its place."""
    path.mkdir()
    _, trouble = running.load(path, PLAN.jobs, NOW)
    assert trouble == f"{path} cannot be read (Is a directory): overrides and verdicts of the last run are lost"


@pytest.mark.parametrize(
    ("actual", "overrides", "expected"),
    [
        (table((A, 1)), {}, True),
        (table((A, 0)), {}, False),
        (Table(), {}, False),
        (table((A, 0)), {("web", A): DRAIN}, True),
        (table((A, 0)), {("web", A): Override()}, False),
    ],
)
def test_a_good_verdict_gives_no_traffic_that_was_not_there(
    actual: Table, overrides: dict[tuple[str, object], Override], *, expected: bool
) -> None:
    """Rule 3 of the design; a held server stands at weight 0 however well it is, so there the verdict tells."""
    memory = Memory(verdicts={JOB: Verdict(Health.UP)}, overrides=overrides)  # type: ignore[arg-type] # keys of a server
    assert (JOB in believed(memory, PLAN, actual)) is expected


def test_a_bad_verdict_is_believed_before_the_table() -> None:
    """Somebody has edited the table since; a server that was found down is not put back untested."""
    memory = Memory(verdicts={JOB: Verdict(Health.DOWN)})
    assert believed(memory, PLAN, table((A, 1))) == memory.verdicts
