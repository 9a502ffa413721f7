from __future__ import annotations

import dataclasses
import os
import stat
from pathlib import Path

import pytest

from healthd.alerts import spool as module
from healthd.alerts.batch import Batch
from healthd.alerts.spool import Found, Spool
from tests.healthd.alerts.making import AT, batch, down
from tests.support.disks import small_disk


def message(number: int) -> Batch:
    return dataclasses.replace(batch(down()), id=f"id{number}", at=AT + number)


def load(folder: Path) -> Found:
    return Spool(folder).load(monotonic=1000.0, wall=AT)


def test_messages_come_back_in_the_order_of_time(tmp_path: Path) -> None:
    """Those that have not been removed, with who has them already."""
    spool = Spool(tmp_path / "spool/ops")
    for number in (3, 1, 2):
        spool.write(message(number), frozenset())
    spool.write(message(2), frozenset({"a@example.com"}))
    spool.remove(message(1))
    spool.remove(message(1))
    found = load(tmp_path / "spool/ops")
    served = [(each.batch.id, set(each.served)) for each in found.messages]
    assert served == [("id2", {"a@example.com"}), ("id3", set())]
    assert found.said == ()


def test_that_a_try_has_begun_comes_back(tmp_path: Path) -> None:
    """Until it is written that it has not."""
    spool = Spool(tmp_path)
    spool.begin(message(1), frozenset())
    spool.begin(message(2), frozenset())
    spool.write(message(2), frozenset())
    assert [each.begun for each in load(tmp_path).messages] == [True, False]


def test_on_a_full_disk_the_message_goes_whose_try_begins(tmp_path: Path) -> None:
    """Rather that than a second try; it is said that it could not be written."""
    with small_disk(tmp_path / "disk") as disk:
        spool = Spool(disk.path / "ops")
        spool.write(message(1), frozenset())
        disk.fill()
        with pytest.raises(OSError, match="No space left"):
            spool.begin(message(1), frozenset())
        assert load(disk.path / "ops").messages == ()


def test_only_the_owner_can_read(tmp_path: Path) -> None:
    """Evidence may hold anything: the folder and the files are private, whatever the umask is."""
    before = os.umask(0)
    try:
        Spool(tmp_path / "spool/ops").write(message(1), frozenset())
    finally:
        os.umask(before)
    (file,) = (tmp_path / "spool/ops").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "spool/ops").stat().st_mode) == 0o700


def test_what_cannot_be_read_is_set_aside_and_said_once(tmp_path: Path) -> None:
    """The others are not lost by it; the next start says nothing of it any more."""
    spool = Spool(tmp_path)
    for number in (1, 2):
        spool.write(message(number), frozenset())
    broken, *_ = sorted(tmp_path.iterdir())
    broken.write_bytes(b'{"format": 1')
    (tmp_path / "known.json").write_bytes(b"[" * 100_000)
    (tmp_path / "99999999999999-link.json").symlink_to("/etc/passwd")
    found = load(tmp_path)
    assert [each.batch.id for each in found.messages] == ["id2"]
    assert len(found.said) == 3
    assert found.said[0].startswith(f"{broken} cannot be used and is set aside as {broken.name}.bad: ")
    assert broken.with_name(f"{broken.name}.bad").exists()
    assert load(tmp_path).said == ()


def test_a_write_that_was_cut_off_leaves_nothing(tmp_path: Path) -> None:
    """A file without its final name was never whole."""
    (tmp_path / "01800000000000-id1.json.tmp").write_bytes(b"{")
    assert load(tmp_path) == Found()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In files and in bytes; what is there can still be written again."""
    monkeypatch.setattr(module, "MOST_FILES", 2)
    spool = Spool(tmp_path)
    for number in (1, 2):
        spool.write(message(number), frozenset())
    with pytest.raises(OSError, match="more than 2 messages"):
        spool.write(message(3), frozenset())
    spool.write(message(2), frozenset({"a"}))
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    with pytest.raises(OSError, match="or 0 MiB"):
        spool.write(message(2), frozenset())


def test_without_a_folder_there_is_nothing(tmp_path: Path) -> None:
    """A first start."""
    assert load(tmp_path / "none") == Found()


def test_a_file_under_a_name_of_another_message_is_set_aside(tmp_path: Path) -> None:
    """Or it could never be removed."""
    Spool(tmp_path).write(message(1), frozenset())
    (file,) = tmp_path.iterdir()
    file.rename(tmp_path / "01800000009000-id9.json")
    (said,) = load(tmp_path).said
    assert "it holds another message than its name says" in said
