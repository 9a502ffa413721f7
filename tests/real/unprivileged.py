"""Servers that do not run as root, even where the tests do: their user, and folders that this user can reach."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_NOBODY, _NOGROUP = 65534, 65534  # the same on every Debian: base-passwd


def unprivileged(command: Sequence[str | Path]) -> list[str | Path]:
    """The same command, run as nobody where this process is root."""
    if os.geteuid() != 0:
        return list(command)
    return ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOGROUP}", "--clear-groups", "--", *command]


def run(command: Sequence[str | Path], stdin: str = "") -> str:
    """The output of the command, run as the servers are."""
    parts = [str(part) for part in unprivileged(command)]
    done = subprocess.run(parts, input=stdin, capture_output=True, text=True, timeout=300, check=False, cwd="/")
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def give(path: Path, mode: int) -> Path:
    """The file is the servers' own, with this mode."""
    if os.geteuid() == 0:
        os.chown(path, _NOBODY, _NOGROUP)
    path.chmod(mode)
    return path


def copied(source: Path, folder: Path) -> Path:
    """A key, or a certificate with its key, that only the servers' user may read."""
    return give(Path(shutil.copyfile(source, folder / source.name)), 0o600)


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """Theirs, and outside of pytest's folders, which root keeps to itself."""
    with tempfile.TemporaryDirectory(prefix="healthd-real-") as folder:
        yield give(Path(folder), 0o755)
