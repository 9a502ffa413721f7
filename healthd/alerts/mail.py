"""Mail: one message for a batch.

Rules:

1. What a server may mend by itself (a full disk, greylisting, being down) or an administrator without a reload (the
   password file) is tried again. Only a 5xx answer to the sender, to all recipients or to the content is final.
2. A recipient for whom a message was accepted or refused for good is left out when it is tried again for the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from email.policy import SMTP as SMTP_POLICY

from healthd.alerts.batch import Batch
from healthd.alerts.message import compose
from healthd.alerts.sink import NotSentError
from healthd.alerts.smtp import Refusal, Session, is_final
from healthd.clock import Clock, Deadline
from healthd.config.values import MailConfig
from healthd.events import one_line

log = logging.getLogger(__name__)


class MailSink:
    at_most_once = False

    def __init__(self, config: MailConfig, clock: Clock, host: str) -> None:
        self.retry_for = config.retry_for
        self._config = config
        self._clock = clock
        self._host = host

    async def send(self, batch: Batch, served: set[str]) -> str:
        import aiosmtplib  # noqa: PLC0415 - slow to import, and most starts send no mail

        recipients = [address for address in self._config.to if address not in served]
        session = Session(self._config, self._host)
        deadline = Deadline(self._clock, self._config.timeout)
        try:
            message = await asyncio.to_thread(self._compose, batch)
            async with deadline:
                refused = await session.hand_over(message, recipients)
            await session.say_goodbye(self._clock)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            reason, final = session.explain(error)
            if deadline.struck:
                reason, final = f"not done within {self._config.timeout:g} s", False
            raise self._failed(recipients, f"{reason} (while {session.doing})", final=final) from error
        finally:
            session.hang_up()
        served.update(address for address in recipients if address not in refused)
        self._settle(batch, refused, served)
        return session.answer

    async def beat(self) -> bool:
        return False

    def _compose(self, batch: Batch) -> bytes:
        return compose(batch, self._config, self._host).as_bytes(policy=SMTP_POLICY)

    def _settle(self, batch: Batch, refused: Mapping[str, Refusal], served: set[str]) -> None:
        """Decides about the recipients that were refused.

        Raises:
            NotSentError: for some it is to be tried again, or nobody has the message.

        """
        waiting = {address: said for address, (code, said) in refused.items() if not is_final(code)}
        lost = {address: said for address, (code, said) in refused.items() if is_final(code)}
        if not served and not waiting:
            raise self._failed(list(lost), f"refused: {_listed(lost)}", final=True)
        if lost:
            log.error("alert %s: mail is not delivered to some recipients, refused: %s", batch.alert, _listed(lost))
            served.update(lost)
        if waiting:
            raise self._failed(list(waiting), f"refused for now: {_listed(waiting)}", final=False)

    def _failed(self, recipients: Sequence[str], reason: str, *, final: bool) -> NotSentError:
        text = f"mail to {', '.join(recipients)} by {self._config.host} port {self._config.port}: {reason}"
        return NotSentError(one_line(text), final=final)


def _listed(refused: Mapping[str, str]) -> str:
    return "; ".join(f"{one_line(address)}: {said}" for address, said in refused.items())
