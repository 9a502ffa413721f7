"""Values as they stand in the files, and back. Bad ones raise ValueError, KeyError or TypeError."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import Any

from checkers.base import Outcome, Status
from healthd.config.values import CheckConfig
from healthd.events import outcome_of, outcome_record
from healthd.overrides import Admin, Freeze, Override, SetWeight
from healthd.printable import one_line
from healthd.verdict import Health, Verdict

Form = dict[str, Any]

LONGEST_CODE = 64
LONGEST_DETAIL = 300
"""Characters that are kept of what put a check down."""


def verdict_form(verdict: Verdict) -> Form:
    return {"health": verdict.health.value, "recent": [_outcome_form(outcome) for outcome in verdict.recent]}


def verdict_of(form: Mapping[str, Any]) -> Verdict:
    return Verdict(Health(form["health"]), tuple(outcome_of(outcome) for outcome in form["recent"]))


def _outcome_form(outcome: Outcome) -> Form:
    return outcome_record(outcome) | {"seconds": outcome.seconds}  # to the last digit


def cause_form(cause: Outcome | None) -> Form | None:
    """An outcome that put a check down, shortened: it is there to be read."""
    if cause is None:
        return None
    code, detail = _shortened(cause)
    return {"code": code, "detail": detail, "seconds": cause.seconds}


def cause_of(form: Mapping[str, Any] | None) -> Outcome | None:
    if form is None:
        return None
    cause = Outcome(Status.FAIL, form["code"], form["detail"], time_of(form["seconds"]))
    if _shortened(cause) != (cause.code, cause.detail):
        raise ValueError("a code or a detail is longer than is kept, or cannot be printed")
    return cause


def _shortened(cause: Outcome) -> tuple[str, str]:
    return one_line(cause.code, LONGEST_CODE), one_line(cause.detail, LONGEST_DETAIL)


def override_form(override: Override) -> Form:
    weight = override.weight
    return {
        "admin": override.admin.value,
        "weight": None if weight is None else asdict(weight),
        "cut": override.cut,
        "since": override.since,
        "until": override.until,
        "who": override.who,
        "reason": override.reason,
    }


def override_of(form: Mapping[str, Any]) -> Override:
    weight = form["weight"]
    return Override(
        admin=Admin(form["admin"]),
        weight=None if weight is None else _set_weight_of(weight),
        cut=form["cut"] is True,
        since=time_of(form["since"]),
        until=None if form["until"] is None else time_of(form["until"]),
        who=str(form["who"]),
        reason=str(form["reason"]),
    )


def _set_weight_of(form: Mapping[str, Any]) -> SetWeight:
    return SetWeight(
        _weight(form["value"]),
        percent=form["percent"] is True,
        since=time_of(form["since"]),
        who=str(form["who"]),
        reason=str(form["reason"]),
    )


def freeze_form(freeze: Freeze) -> Form:
    return {"since": freeze.since, "until": freeze.until, "who": freeze.who, "reason": freeze.reason}


def freeze_of(form: Mapping[str, Any]) -> Freeze:
    until = None if form["until"] is None else time_of(form["until"])
    return Freeze(since=time_of(form["since"]), until=until, who=str(form["who"]), reason=str(form["reason"]))


def time_of(value: Any) -> float:
    """Wall-clock time."""
    time = float(value)
    if not math.isfinite(time):
        raise ValueError(f"{value} is no point in time")
    return time


def _weight(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 65535:
        raise ValueError(f"{value} is no weight")
    return value


def fingerprint(check: CheckConfig) -> str:
    """What a check asks and how many answers decide, as a short text: another check has another. Secrets are not in."""
    content = repr((check.kind, _plain(check.checker), str(check.fall), str(check.rise)))
    return hashlib.sha256(content.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _plain(value: Any) -> Any:
    """The same in every process for the same value: no address of an object, no order of a set."""
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return value
    if is_dataclass(value):
        return [type(value).__name__, *(_plain(getattr(value, f.name)) for f in fields(value) if f.repr and f.compare)]
    if isinstance(value, Mapping):
        return sorted(repr((key, _plain(item))) for key, item in value.items())
    if isinstance(value, set | frozenset):
        return sorted(repr(_plain(item)) for item in value)
    if isinstance(value, tuple | list | range):
        return [_plain(item) for item in value]
    pattern = getattr(value, "pattern", None)
    return [type(value).__name__, pattern if isinstance(pattern, str | bytes) else None]
