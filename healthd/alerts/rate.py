"""The limit on messages of one alert: a bucket of tokens, which fills up evenly. Pure."""

from __future__ import annotations

from healthd.config.values import Rate

NEARLY = 1e-9
"""A third and two thirds of a token are one."""


class TokenBucket:
    """Full at first. Without a `rate` it never gets empty. `now` is in monotonic seconds."""

    def __init__(self, rate: Rate | None, now: float) -> None:
        self._rate = rate
        self._tokens = float(rate.count) if rate else 0.0
        self._at = now

    def take(self, wanted: int, now: float) -> bool:
        """Whether `wanted` messages may go now; if so they count as sent, if not none of them does."""
        if self._rate is None:
            return True
        self._fill(self._rate, now)
        if self._tokens + NEARLY < wanted:
            return False
        self._tokens = max(0.0, self._tokens - wanted)
        return True

    def next_at(self, now: float) -> float:
        """When there is a token again."""
        if self._rate is None:
            return now
        self._fill(self._rate, now)
        return now + max(0.0, 1.0 - self._tokens) * self._rate.seconds / self._rate.count

    def _fill(self, rate: Rate, now: float) -> None:
        self._tokens = min(float(rate.count), self._tokens + (now - self._at) * rate.count / rate.seconds)
        self._at = now
