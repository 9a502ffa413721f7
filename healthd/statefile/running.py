"""What the daemon remembers over a restart: what operators have set, and verdicts that the table does not tell.

Overrides and the freeze hold until their time is over, however old the file is. Verdicts are believed for ten minutes
within one boot of the machine, and only of a check that is still the same: configuration beats memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from healthd.config.values import CheckConfig
from healthd.model import Endpoint, Table
from healthd.overrides import Freeze, Override
from healthd.plan import Job, JobId, Plan
from healthd.remembered import Key, Memory, Past
from healthd.statefile import document
from healthd.statefile.forms import (
    cause_form,
    cause_of,
    fingerprint,
    freeze_form,
    freeze_of,
    override_form,
    override_of,
    time_of,
    verdict_form,
    verdict_of,
)
from healthd.verdict import Health, Verdict

VERSION = 1
BELIEVED_FOR = 600.0
"""Seconds after which a verdict says nothing about now."""

Limited = TypeVar("Limited", Override, Freeze)


def path_in(state_dir: Path) -> Path:
    return state_dir / "daemon.json"


def save(path: Path, memory: Memory, checks: Mapping[JobId, CheckConfig], now: float) -> None:
    """Keeps what is so at the time `now` (seconds since the epoch). `checks` are those that the verdicts are of.

    Raises:
        OSError: the file cannot be written; the old one is untouched then.
    """
    mark = _Marks()
    content = {
        "version": VERSION,
        "boot": document.boot(),
        "at": now,
        "frozen": None if memory.frozen is None else freeze_form(memory.frozen),
        "overrides": [
            {**_key_form(key), **override_form(override), "drained": key in memory.drained}
            for key, override in memory.overrides.items()
        ],
        "verdicts": {
            job: {"check": mark.of(checks[job]), **verdict_form(verdict), "cause": cause_form(memory.causes.get(job))}
            for job, verdict in memory.verdicts.items()
        },
        "servers": [{**_key_form(key), **past._asdict()} for key, past in memory.pasts.items()],
    }
    document.write(path, content)


def load(path: Path, jobs: Mapping[JobId, Job], now: float) -> tuple[Memory, str]:
    """What was saved and is still to be believed, and why that is nothing though there is a file."""
    try:
        content = document.read(path)
        return _memory(content, jobs, now), ""
    except FileNotFoundError:
        return Memory(), ""
    except OSError as error:
        return Memory(), f"{path} cannot be read ({error.strerror}): overrides and verdicts of the last run are lost"
    except document.UNUSABLE:
        return Memory(), f"{path} is damaged: overrides and verdicts of the last run are lost"


def _memory(content: Any, jobs: Mapping[JobId, Job], now: float) -> Memory:
    if content["version"] != VERSION:
        raise ValueError(content["version"])
    at = time_of(content["at"])
    back = max(0.0, at - now)  # so far the clock on the wall has been set back since, at least
    entries = [(_key_of(entry), entry) for entry in content["overrides"]]
    frozen = None if content["frozen"] is None else freeze_of(content["frozen"])
    fresh = content["boot"] == document.boot() and 0 <= now - at <= BELIEVED_FOR
    known = dict(_still_asked(content["verdicts"], jobs)) if fresh else {}
    causes = {job: cause_of(entry.get("cause")) for job, entry in known.items()}  # releases before had none
    return Memory(
        verdicts={job: verdict_of(entry) for job, entry in known.items()},
        causes={job: cause for job, cause in causes.items() if cause is not None},
        pasts=dict(map(_past_of, content["servers"])) if fresh else {},
        overrides={key: _set_back(override_of(entry), back) for key, entry in entries},
        drained=frozenset(key for key, entry in entries if entry["drained"] is True),
        frozen=frozen and _set_back(frozen, back),
        at=at,
    )


def _set_back(limited: Limited, seconds: float) -> Limited:
    until = None if limited.until is None else limited.until - seconds
    return replace(limited, since=limited.since - seconds, until=until)


def _still_asked(entries: Mapping[str, Any], jobs: Mapping[JobId, Job]) -> Iterator[tuple[JobId, Any]]:
    """The entries of the checks that are the same as they were."""
    mark = _Marks()
    for name, entry in entries.items():
        job = jobs.get(JobId(name))
        if job is not None and entry["check"] == mark.of(job.check):
            yield job.id, entry


class _Marks:
    """Fingerprints of checks; most servers of a service have the very same one."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def of(self, check: CheckConfig) -> str:
        mark = self._known.get(id(check))
        if mark is None:
            mark = self._known[id(check)] = fingerprint(check)
        return mark


def _key_form(key: Key) -> dict[str, Any]:
    service, server = key
    return {"service": service, "address": server.address, "port": server.port}


def _key_of(entry: Mapping[str, Any]) -> Key:
    return str(entry["service"]), Endpoint(str(entry["address"]), int(entry["port"]))


def _past_of(entry: Mapping[str, Any]) -> tuple[Key, Past]:
    return _key_of(entry), Past(time_of(entry["since"]), int(entry["transitions"]))


def believed(memory: Memory, plan: Plan, actual: Table) -> dict[JobId, Verdict]:
    """The verdicts that may be gone on from: good ones give no server traffic that it does not have in the table.

    Of a server that is held it is not the table that tells whether it is well.
    """
    found = {}
    for name, verdict in memory.verdicts.items():
        job = plan.jobs[name]
        virtual = actual.services.get(plan.services[job.service].key)
        destination = virtual.destinations.get(job.server) if virtual else None
        override = memory.overrides.get((job.service, job.server))
        served = destination is not None and destination.weight > 0
        if verdict.health is Health.DOWN or served or (override is not None and override.held):
            found[name] = verdict
    return found
