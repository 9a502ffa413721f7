"""What has become of alerts: for the log, the history and whoever listens, but not for alerts. They would never end."""

from __future__ import annotations

from dataclasses import dataclass

from healthd.events.event import Event, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSent(Event):
    """`message` is the headline of the message, `count` how many events it told of."""

    kind = "alert_sent"
    alert: str
    message: str
    count: int
    answer: str

    def text(self) -> str:
        answered = f" ({self.answer})" if self.answer else ""
        return f"alert {self.alert}: sent: {self.message}{answered}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFailed(Event):
    """A message that will not be tried again."""

    kind = "alert_failed"
    severity = Severity.WARNING
    alert: str
    message: str
    count: int
    reason: str

    def text(self) -> str:
        return f"alert {self.alert}: {self.reason}; not tried again, lost: {self.message}"
