"""A JSON file that is replaced in one step: whoever is killed while writing it leaves the old one."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

LARGEST = 64 * 1024 * 1024
"""Bytes of a file that is read; no configuration needs as many."""

UNUSABLE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""What reading raises where the file does not hold what it should."""


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Replaces the file. Only its owner may read it.

    Raises:
        OSError: it cannot be written; the old one is untouched then.
    """
    passing = path.with_name(f"{path.name}.tmp")  # one name, so that who is killed leaves one file at most
    passing.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(passing, flags, 0o600), "w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        passing.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            passing.unlink(missing_ok=True)
        raise


def read(path: Path) -> Any:
    """What is in the file.

    Raises:
        OSError: it cannot be read.
        ValueError, RecursionError: it does not hold JSON, or is too large.
    """
    with path.open(encoding="utf-8") as file:
        if os.fstat(file.fileno()).st_size > LARGEST:
            raise ValueError(f"larger than {LARGEST} bytes")
        return json.load(file)


def boot() -> str:
    """The machine's boot: after another one the kernel's table is empty, and nobody's verdict is worth anything."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""
