"""One mail, sent to the servers of a test."""

import pytest

from healthd.alerts.mail import MailSink
from healthd.alerts.sink import NotSentError
from healthd.clock import Clock, ManualClock
from healthd.config.values import MailConfig
from tests.healthd.alerts.making import batch, down, lost, up

PLAIN = MailConfig(to=("ops@example.com",), sender="healthd@lb1.example.com", host="127.0.0.1")


async def send(config: MailConfig, clock: Clock | None = None) -> set[str]:
    """By default no deadline strikes, however slow this machine is."""
    served: set[str] = set()
    await MailSink(config, clock or ManualClock(), "lb1").send(batch(down(), up(), lost()), served)
    return served


async def failure(config: MailConfig, clock: Clock | None = None) -> NotSentError:
    with pytest.raises(NotSentError) as caught:
        await send(config, clock)
    return caught.value
