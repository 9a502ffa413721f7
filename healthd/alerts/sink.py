"""What a way of telling somebody looks like: one coroutine, which tries once."""

from __future__ import annotations

from typing import Protocol

from healthd.alerts.batch import Batch


class NotSentError(Exception):
    """A message that did not reach its receivers; the text says why, `final` that trying again is of no use.

    `retry_after` are the seconds that the receiver asked to be left alone.
    """

    def __init__(self, reason: str, *, final: bool = False, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.final = final
        self.retry_after = retry_after


class Sink(Protocol):
    retry_for: float
    """For how many seconds after a message was ready it is worth trying again."""

    at_most_once: bool
    """Whether a try whose end nobody knows, because healthd was killed meanwhile, must stay the last one."""

    async def send(self, batch: Batch, served: set[str]) -> str:
        """Tries once, within the sink's own deadline; what is returned is the receiver's answer, for people.

        `served` are the receivers that have this message from an earlier try; a sink adds to it and leaves them out.

        Raises:
            NotSentError: it did not reach all receivers.

        """

    async def beat(self) -> bool:
        """Tells a place of its own that healthd is running, once; False where the sink has no such place.

        Raises:
            NotSentError: it did not arrive.

        """
