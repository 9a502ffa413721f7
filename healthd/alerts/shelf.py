"""What an alert has collected and not yet made messages of, on disk: a crash costs none of it.

That is what waits for the end of a burst, or for the limit on messages. It lies in the spool as one message, and is
one for the next life of healthd.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from healthd.alerts.batch import Batch
from healthd.alerts.keeper import Keeper
from healthd.clock import Clock, Timer

PACE = 0.5
"""Seconds between two writings, in which hundreds of events may come."""


class Shelf:
    """`collected` makes the message of what there is; `lasting` is whether messages are kept at all."""

    def __init__(
        self, keeper: Keeper, clock: Clock, collected: Callable[[], Batch], lasting: Callable[[], bool]
    ) -> None:
        self._keeper = keeper
        self._clock = clock
        self._collected = collected
        self._lasting = lasting
        self._batch: Batch | None = None
        self._timer: Timer | None = None
        self._due = False

    def changed(self) -> None:
        """There is something else than before, and not nothing."""
        self._due = self._lasting()
        if self._timer is None:
            self._write()

    def clear(self) -> None:
        """All of it has become messages, which are in the spool themselves."""
        self._due = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._batch is not None:
            self._keeper.forget(self._batch)
            self._batch = None

    def _write(self) -> None:
        self._timer = None
        if not self._due:
            return
        self._due = False
        batch, before = self._collected(), self._batch
        self._batch = batch if before is None else replace(batch, id=before.id, at=before.at, ready=before.ready)
        self._keeper.keep(self._batch, set())
        self._timer = self._clock.call_at(self._clock.monotonic() + PACE, self._write)
