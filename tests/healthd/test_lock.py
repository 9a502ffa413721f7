from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from healthd.lock import AlreadyLocked, Lock
from tests.support.disks import small_disk

HOLDER = """
import sys, time
from pathlib import Path
from healthd.lock import Lock
with Lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock of `folder`."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_the_second_is_refused_and_told_who_is_the_first(tmp_path: Path) -> None:
    """Two healthd on one table: the message names the process and the file."""
    with holder(tmp_path) as process:
        try:
            with pytest.raises(AlreadyLocked) as refusal, Lock(tmp_path):
                pass
        finally:
            process.kill()
    assert str(refusal.value) == (
        f"another healthd (process {process.pid}) holds the table: {tmp_path / 'lock'} is locked"
    )


def test_rule_8_of_the_design_a_kill_leaves_no_lock_behind(tmp_path: Path) -> None:
    """The kernel releases it with the process, however that ends; the next start needs nobody's help."""
    with holder(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    with Lock(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_a_lock_ends_with_its_block(tmp_path: Path) -> None:
    """Within one process, too, only one holds it; afterwards it is free."""
    with Lock(tmp_path):
        refused = pytest.raises(AlreadyLocked, match=rf"process {os.getpid()}\b")
        with refused, Lock(tmp_path):
            pass
    with Lock(tmp_path):
        pass


def test_the_folder_is_made(tmp_path: Path) -> None:
    """With its parents, and not for everybody to read."""
    folder = tmp_path / "var" / "lib" / "healthd"
    with Lock(folder):
        assert stat.S_IMODE(folder.stat().st_mode) & 0o027 == 0


def test_a_lock_file_without_a_number_names_nobody(tmp_path: Path) -> None:
    """What stands in it is shown only if it can be a process."""
    with Lock(tmp_path):
        (tmp_path / "lock").write_text("\x1b[31m not a number\n")
        with pytest.raises(AlreadyLocked) as refusal, Lock(tmp_path):
            pass
    assert str(refusal.value) == f"another healthd holds the table: {tmp_path / 'lock'} is locked"


def test_a_child_does_not_inherit_the_lock(tmp_path: Path) -> None:
    """A script that outlives healthd does not keep the next one from starting."""
    waiting = [sys.executable, "-c", "print('started', flush=True); input()"]
    with Lock(tmp_path):
        child = subprocess.Popen(waiting, stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False)
        assert child.stdout is not None
        assert child.stdout.readline() == b"started\n"
    try:
        with Lock(tmp_path):
            pass
    finally:
        child.communicate(b"\n")


def test_a_full_disk_keeps_nobody_from_holding_it(tmp_path: Path) -> None:
    """Also where the file has been there before: only who holds it cannot be written."""
    with small_disk(tmp_path / "disk") as disk:
        disk.fill()
        for _ in range(2):
            with Lock(disk.path), pytest.raises(AlreadyLocked), Lock(disk.path):
                pass


@pytest.mark.parametrize("before", [True, False], ids=["file", "no file"])
def test_a_read_only_disk_keeps_nobody_from_holding_it(tmp_path: Path, *, before: bool) -> None:
    """With the file that an earlier healthd has left there, or without any."""
    with small_disk(tmp_path / "disk") as disk:
        if before:
            with Lock(disk.path):
                pass
        disk.make_read_only()
        with Lock(disk.path), pytest.raises(AlreadyLocked), Lock(disk.path):
            pass


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "state").write_text("")
    with pytest.raises(OSError, match="state"), Lock(tmp_path / "state" / "healthd"):
        pass
