"""Verdicts kept between the runs of `healthd check --once`, so that N of M works under cron.

A file that cannot be used (another boot of the machine, too old, damaged) is the same as none: verdicts then start
from the kernel's table. The daemon removes it when it starts: from then on it is old.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from healthd.plan import JobId
from healthd.statefile import document
from healthd.statefile.forms import time_of, verdict_form, verdict_of
from healthd.verdict import Verdict

VERSION = 1
BELIEVED_FOR = 24 * 3600.0
"""Seconds after which what was counted says nothing about today."""


def path_in(state_dir: Path) -> Path:
    return state_dir / "once.json"


def save(path: Path, verdicts: Mapping[JobId, Verdict], now: float) -> None:
    """Keeps the verdicts of the time `now` (seconds since the epoch).

    Raises:
        OSError: the file cannot be written; the old one is untouched then.
    """
    content = {
        "version": VERSION,
        "boot": document.boot(),
        "at": now,
        "verdicts": {job: verdict_form(verdict) for job, verdict in verdicts.items()},
    }
    document.write(path, content)


def load(path: Path, now: float) -> dict[JobId, Verdict]:
    """What was saved, or nothing if it cannot be used."""
    try:
        content = document.read(path)
        if content["version"] != VERSION or content["boot"] != document.boot():
            return {}
        if not 0 <= now - content["at"] <= BELIEVED_FOR:
            return {}
        return {JobId(job): verdict_of(entry) for job, entry in content["verdicts"].items()}
    except (OSError, *document.UNUSABLE):
        return {}


def saved_at(path: Path) -> float | None:
    """When it was saved, None if there is none that can be used."""
    try:
        return time_of(document.read(path)["at"])
    except (OSError, *document.UNUSABLE):
        return None
