"""What a way of telling somebody looks like: one coroutine, which tries once."""

from __future__ import annotations

from typing import Protocol

from healthd.alerts.batch import Batch


class NotSentError(Exception):
    """A message that did not reach its receivers; the text says why, `final` that trying again is of no use."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class Sink(Protocol):
    retry_for: float
    """For how many seconds after a message was ready it is worth trying again."""

    async def send(self, batch: Batch, served: set[str]) -> None:
        """Tries once, within the sink's own deadline.

        `served` are the receivers that have this message from an earlier try; a sink adds to it and leaves them out.

        Raises:
            NotSentError: it did not reach all receivers.

        """
