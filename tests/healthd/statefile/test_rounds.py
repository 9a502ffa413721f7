from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checkers.base import Outcome, Status
from healthd.plan import JobId
from healthd.statefile import rounds
from healthd.statefile.rounds import BELIEVED_FOR, load, save
from healthd.verdict import Health, Verdict
from tests.support.building import FAIL, PASS

NOW = 1_800_000_000.0
VERDICTS = {
    JobId("web/10.0.0.1:80/tcp"): Verdict(Health.UP, (FAIL, Outcome(Status.FAIL, "L7STS", "é\x00\n", 0.25))),
    JobId("web/10.0.0.2:80/tcp"): Verdict(Health.DOWN, (PASS,)),
    JobId("web/10.0.0.3:80/tcp"): Verdict(),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return rounds.path_in(tmp_path)


def test_what_is_saved_is_loaded(path: Path) -> None:
    """Health and everything that is still open."""
    save(path, VERDICTS, NOW)
    assert load(path, NOW + 60) == VERDICTS


outcomes = st.builds(Outcome, st.sampled_from(Status), st.text(), st.text(), st.floats(0, 1e6))
verdicts = st.dictionaries(
    st.text().map(JobId), st.builds(Verdict, st.sampled_from(Health), st.lists(outcomes, max_size=3).map(tuple))
)


@given(verdicts)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_any_verdicts_come_back_as_they_were(path: Path, kept: dict[JobId, Verdict]) -> None:
    """Whatever a checker wrote into its detail."""
    save(path, kept, NOW)
    assert load(path, NOW) == kept


def test_without_a_file_nothing_is_remembered(path: Path) -> None:
    """The first run starts from the table."""
    assert load(path, NOW) == {}
    path.mkdir()
    assert load(path, NOW) == {}


@pytest.mark.parametrize(
    ("later", "believed"), [(0.0, True), (BELIEVED_FOR, True), (BELIEVED_FOR + 1, False), (-1.0, False)]
)
def test_what_is_too_old_or_from_the_future_is_not_believed(path: Path, later: float, believed: bool) -> None:  # noqa: FBT001 - the expected value
    """After a day, or a clock that was set back, the table knows better."""
    save(path, VERDICTS, NOW)
    assert bool(load(path, NOW + later)) is believed


@pytest.mark.parametrize("change", [{"version": 2}, {"version": "1"}, {"boot": "another"}, {"boot": None}])
def test_another_version_or_boot_is_not_believed(path: Path, change: dict[str, Any]) -> None:
    """After a boot the kernel's table is empty; what another version wrote may mean something else."""
    save(path, VERDICTS, NOW)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert load(path, NOW) == {}


DAMAGED = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"version": 1}',
    b'{"version": 1' + b"0" * 5000 + b"}",
]


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_file_is_the_same_as_none(path: Path, content: bytes) -> None:
    """Nothing that stands in it can keep healthd from starting."""
    path.write_bytes(content)
    assert load(path, NOW) == {}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
outcome_like = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["pass", "fail", "unknown", "odd"]) | json_values,
        "code": json_values,
        "detail": json_values,
        "seconds": json_values,
    }
)
verdict_like = st.fixed_dictionaries(
    {
        "health": st.sampled_from(["up", "down", "unknown", "odd"]) | json_values,
        "recent": st.lists(outcome_like) | json_values,
    }
)


@given(st.dictionaries(st.text(max_size=5), verdict_like | json_values, max_size=3) | json_values, json_values)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_with_anything_in_it_gives_verdicts_or_nothing(path: Path, content: object, at: object) -> None:
    """Where the frame is right but the picture is not, no exception escapes and only verdicts come out."""
    save(path, {}, NOW)
    whole = json.loads(path.read_text()) | {"verdicts": content}
    for frame in (whole, whole | {"at": at}):
        path.write_text(json.dumps(frame))
        assert all(isinstance(verdict, Verdict) for verdict in load(path, NOW).values())


def test_a_file_that_cannot_be_written_leaves_the_old_one(path: Path) -> None:
    """The file is replaced in one step, and nothing is left beside it when that fails."""
    save(path, VERDICTS, NOW)
    unwritable = {JobId("web"): Verdict(Health.UP, (Outcome(Status.FAIL, "X", seconds=object()),))}  # type: ignore[arg-type] # to make it fail half-way
    with pytest.raises(TypeError):
        save(path, unwritable, NOW)
    assert load(path, NOW) == VERDICTS
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Counters that cannot be kept are said to be so."""
    with pytest.raises(OSError, match="No such file"):
        save(tmp_path / "missing" / "once.json", {}, NOW)
