from __future__ import annotations

import json
from pathlib import Path

import pytest

from healthd.statefile import document


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    """Who reads it finds the old content or the new one, and nothing else is left in the folder."""
    path = tmp_path / "state.json"
    document.write(path, {"a": 1})
    before = path.stat().st_ino
    document.write(path, {"a": 2})
    assert document.read(path) == {"a": 2}
    assert path.stat().st_ino != before
    assert [found.name for found in tmp_path.iterdir()] == ["state.json"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    """And no other behind."""
    path = tmp_path / "state.json"
    document.write(path, {"a": 1})
    with pytest.raises(TypeError):
        document.write(path, {"a": object()})
    assert [found.name for found in tmp_path.iterdir()] == ["state.json"]
    assert json.loads(path.read_text()) == {"a": 1}


def test_a_file_without_end_is_not_read(tmp_path: Path) -> None:
    """What somebody has put there costs no memory."""
    path = tmp_path / "state.json"
    with path.open("wb") as file:
        file.truncate(document.LARGEST + 1)
    with pytest.raises(ValueError, match="larger than"):
        document.read(path)


def test_who_is_killed_while_writing_leaves_one_file_at_most(tmp_path: Path) -> None:
    """What an earlier life has left unfinished is in nobody's way, and goes with the next writing."""
    path = tmp_path / "state.json"
    (tmp_path / "state.json.tmp").write_text('{"half')
    document.write(path, {"a": 1})
    assert document.read(path) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]
