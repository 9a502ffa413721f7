"""Points in time and spans of it, as people write them and as they are shown. Pure: `now` is handed in.

Points in time are seconds since the epoch, shown and read in the zone of this machine.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

EXPECTED = 'expected a time such as "2h" (ago), "15:04" or "2026-11-22 15:04"'

_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_SPAN = re.compile(r"[0-9.]+(?:ms|s|m|h|d)")


def moment(text: str, now: float) -> float:
    """The point in time that `text` means: a span before `now`, a time of the last 24 hours, or a date.

    Raises:
        ValueError: it is none of them, with a sentence that says what was expected.

    """
    if _SPAN.fullmatch(text):
        return now - span(text)
    if match := _CLOCK.fullmatch(text):
        return _last(int(match[1]), int(match[2]), int(match[3] or 0), now, text)
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone().timestamp()  # what has no zone is taken as local time
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f'{EXPECTED}, not "{text}"') from error


def _last(hour: int, minute: int, second: int, now: float, text: str) -> float:
    """When the clock showed that last."""
    # Without a zone, so by the calendar: a day on which the clocks are changed has another length than 24 hours.
    today = _local(now).replace(tzinfo=None)
    try:
        found = today.replace(hour=hour, minute=minute, second=second, microsecond=0)
    except ValueError as error:
        raise ValueError(f'{EXPECTED}, not "{text}"') from error
    if found > today:
        found -= timedelta(days=1)
    return found.astimezone().timestamp()


def span(text: str) -> float:
    """Seconds, written as in the configuration.

    Raises:
        ValueError: it is none, with a sentence that says what was expected.

    """
    # It takes a quarter of a second to load what reads configurations, and few commands need it.
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415

    from healthd.config.fields import Duration  # noqa: PLC0415

    try:
        return TypeAdapter(Duration).validate_python(text)
    except ValidationError as error:
        raise ValueError(error.errors()[0]["msg"]) from error


def _local(at: float) -> datetime:
    return datetime.fromtimestamp(at, tz=UTC).astimezone()


def stamp(at: float) -> str:
    """`2026-11-22 15:04:05`, in local time."""
    try:
        return f"{_local(at):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return "?"


def clock(at: float, now: float) -> str:
    """`15:04` within a day of `now`, else the whole date."""
    shown = stamp(at)
    return shown[11:16] if abs(at - now) < 86400 - 60 else shown[:16]


def lasting(seconds: float) -> str:
    """A span in two units at most: `12s`, `5m`, `2h05m`, `3d4h`."""
    whole = max(0, int(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes < 1:
        return f"{whole}s"
    if hours < 1:
        return f"{minutes}m" if minutes >= 10 or not whole % 60 else f"{minutes}m{whole % 60:02d}s"
    if days < 1:
        return f"{hours}h{minutes % 60:02d}m" if minutes % 60 else f"{hours}h"
    return f"{days}d{hours % 24}h" if hours % 24 and days < 100 else f"{days}d"


def milliseconds(seconds: float) -> str:
    """`4 ms` as `4ms`, `0.3ms` below ten, `1.2s` from a second on."""
    if seconds >= 1:
        return f"{seconds:.1f}s"
    shown = seconds * 1000
    return f"{shown:.1f}ms" if shown < 9.95 else f"{shown:.0f}ms"
