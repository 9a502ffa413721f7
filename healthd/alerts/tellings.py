"""What has become of the messages of one alert: the books of its channel, and who is told of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from healthd.alerts.batch import Batch
from healthd.alerts.keeper import Keeper
from healthd.alerts.ledger import Ledger
from healthd.alerts.sink import NotSentError
from healthd.alerts.wording import headline
from healthd.clock import Clock
from healthd.events import AlertFailed, AlertSent, Event

log = logging.getLogger(__name__)

Tell = Callable[[Event], None]


class Tellings:
    """`lost` counts the events that are in no message and of which no message has told yet."""

    def __init__(self, ledger: Ledger, keeper: Keeper, clock: Clock, tell: Tell) -> None:
        self.lost = 0
        self.sent = 0
        self.failures = 0
        self.last_error = ""
        self.last_error_at: float | None = None
        self.last_success_at: float | None = None
        self._ledger = ledger
        self._keeper = keeper
        self._clock = clock
        self._tell = tell

    def admit(self, events: Iterable[Event]) -> tuple[Event, ...]:
        return self._ledger.admit(events)

    def delivered(self, batch: Batch, message: str, answer: str) -> None:
        """`message` is its headline."""
        self.sent += 1
        self.lost = max(0, self.lost - batch.lost)
        self.last_error, self.last_success_at = "", self._clock.wall()
        self._ledger.delivered(batch.events, self._clock.monotonic())
        self.remember()
        at, count = self._clock.wall(), len(batch.events)
        self._tell(AlertSent(at=at, alert=batch.alert, message=message, count=count, answer=answer))

    def remember(self) -> None:
        """Over a restart: what the receivers know, and who is in maintenance."""
        self._keeper.know(self._ledger.told, self._ledger.quiet)

    def failed(self, reason: str) -> None:
        """It will be tried again."""
        self.last_error, self.last_error_at = reason, self._clock.wall()

    def given_up(self, batch: Batch, reason: str) -> None:
        self.failed(reason)
        self.failures += 1
        self.lost += len(batch.events)
        self._ledger.given_up(batch.events, self._clock.monotonic())
        message, count = headline(batch), len(batch.events)
        self._tell(AlertFailed(at=self._clock.wall(), alert=batch.alert, message=message, count=count, reason=reason))

    def passed(self, batch: Batch, answer: str) -> None:
        log.debug("alert %s: %s: %s", batch.alert, headline(batch), answer)
        self.last_error, self.last_success_at = "", self._clock.wall()
        self._ledger.delivered(batch.events, self._clock.monotonic())

    def passed_by(self, batch: Batch, failure: NotSentError) -> None:
        """A passing message did not arrive: said once, until the reason changes."""
        if str(failure) != self.last_error:
            log.warning("alert %s: %s", batch.alert, failure)
        self.failed(str(failure))
        self._ledger.given_up(batch.events, self._clock.monotonic())
