"""Verdicts kept between the runs of `healthd check --once`, so that N of M works under cron.

The file is JSON, replaced in one step. One that cannot be used (another boot of the machine, too old, damaged) is the
same as none: verdicts then start from the kernel's table. The daemon removes it when it starts: from then on it is old.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from checkers.base import Outcome, Status
from healthd.plan import JobId
from healthd.verdict import Health, Verdict

VERSION = 1
BELIEVED_FOR = 24 * 3600.0
"""Seconds after which what was counted says nothing about today."""

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def path_in(state_dir: Path) -> Path:
    return state_dir / "once.json"


def save(path: Path, verdicts: Mapping[JobId, Verdict], now: float) -> None:
    """Keeps the verdicts of the time `now` (seconds since the epoch).

    Raises:
        OSError: the file cannot be written; the old one is untouched then.
    """
    content = {
        "version": VERSION,
        "boot": _boot(),
        "at": now,
        "verdicts": {
            job: {"health": verdict.health.value, "recent": [_outcome(o) for o in verdict.recent]}
            for job, verdict in verdicts.items()
        },
    }
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "status": outcome.status.value,
        "code": outcome.code,
        "detail": outcome.detail,
        "seconds": outcome.seconds,
    }


def load(path: Path, now: float) -> dict[JobId, Verdict]:
    """What was saved, or nothing if it cannot be used."""
    try:
        content = json.loads(path.read_text())
        if content["version"] != VERSION or content["boot"] != _boot():
            return {}
        if not 0 <= now - content["at"] <= BELIEVED_FOR:
            return {}
        return {JobId(job): _verdict(entry) for job, entry in content["verdicts"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return {}


def _verdict(entry: Mapping[str, Any]) -> Verdict:
    recent = tuple(
        Outcome(Status(o["status"]), str(o["code"]), str(o["detail"]), float(o["seconds"])) for o in entry["recent"]
    )
    return Verdict(Health(entry["health"]), recent)


def _boot() -> str:
    """The machine's boot: after another one the kernel's table is empty, and nobody's verdict is worth anything."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""
