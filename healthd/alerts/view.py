"""How one alert is doing, as a frozen value for metrics and whoever asks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelView:
    """Counts are of messages since the start, except `problems` and `lost`: failures that the receivers know of, and
    events that are in no message and of which no message has told yet. Points in time are wall clock, None for never.

    `last_error` is why the newest try failed, empty once one did not; `last_error_at` stays. `held_back` counts the
    messages that the limit on messages has put into a later one.
    """

    name: str
    kind: str
    queue: int
    sent: int
    failed: int
    held_back: int
    lost: int
    problems: int
    last_error: str
    last_error_at: float | None
    last_success_at: float | None


@dataclass(frozen=True, slots=True)
class Trying:
    """What came of a test message: `answer` is what the receiver said, or why it did not arrive."""

    alert: str
    arrived: bool
    answer: str
