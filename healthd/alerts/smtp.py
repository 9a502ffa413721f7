"""One SMTP connection (RFC 5321), for one message. The caller has one deadline for all of `hand_over`.

The password appears in no text that leaves this file, even if the server repeats it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from healthd.alerts.message import domain
from healthd.alerts.oserrors import words
from healthd.clock import Clock, Deadline
from healthd.config.values import MailConfig
from healthd.events import one_line

if TYPE_CHECKING:
    from aiosmtplib import SMTP, SMTPException

PASSWORD_LIMIT = 4096
"""Bytes of a password file."""

ANSWER_LIMIT = 300
"""Characters of a server's answer that are shown."""

GOODBYE_SECONDS = 5.0

Refusal = tuple[int, str]
"""The code of an answer, and the answer as it may be shown."""


class Session:
    """`doing` says how far it has come, for the message that says why it failed; `answer` what the server said."""

    def __init__(self, config: MailConfig, host: str) -> None:
        self.doing = "starting"
        self.answer = ""
        self._config = config
        self._host = host
        self._password = ""
        self._smtp: SMTP | None = None

    async def hand_over(self, message: bytes, recipients: Sequence[str]) -> Mapping[str, Refusal]:
        """Sends `message`; the answer holds the recipients that were refused, be it all of them.

        Raises:
            SMTPException, OSError, ValueError: it was accepted for nobody; `explain` says why.

        """
        import aiosmtplib  # noqa: PLC0415 - slow to import, and most starts send no mail

        context = await asyncio.to_thread(self._read_files)
        self._smtp = smtp = aiosmtplib.SMTP(
            hostname=self._config.host,
            port=self._config.port,
            local_hostname=domain(self._host),
            timeout=None,
            use_tls=self._config.security == "tls",
            start_tls=False,
            tls_context=context,
        )
        await self._open(smtp)
        self.doing = "handing over the message"
        try:
            answers, said = await smtp.sendmail(self._config.sender, recipients, message)
        except aiosmtplib.SMTPRecipientsRefused as error:
            return {each.recipient: (each.code, self._answer(each.code, each.message)) for each in error.recipients}
        self.answer = self._masked(said)
        return {
            address: (answer.code, self._answer(answer.code, answer.message)) for address, answer in answers.items()
        }

    async def _open(self, smtp: SMTP) -> None:
        self.doing = "connecting"
        await smtp.connect()
        if self._config.security == "starttls":
            self.doing = "starting TLS"
            await smtp.starttls()
        if self._config.user is not None:
            self.doing = f"logging in as {self._config.user}"
            await smtp.login(self._config.user, self._password)

    async def say_goodbye(self, clock: Clock) -> None:
        """Ends the connection properly. The message is accepted: whatever goes wrong now must not send it twice."""
        from aiosmtplib import SMTPException  # noqa: PLC0415 - see hand_over

        if self._smtp is None:
            return
        with contextlib.suppress(SMTPException, OSError):
            async with Deadline(clock, GOODBYE_SECONDS):
                await self._smtp.quit()

    def hang_up(self) -> None:
        if self._smtp is None:
            return
        if self._smtp.transport is not None:
            # close() would wait for the peer to end TLS properly.
            cast(asyncio.Transport, self._smtp.transport).abort()
        self._smtp.close()

    def explain(self, error: SMTPException | OSError | ValueError) -> tuple[str, bool]:
        """What is wrong, and whether that is final: a 5xx answer to sender or content, or an impossible address."""
        import aiosmtplib  # noqa: PLC0415 - see hand_over

        match error:
            case aiosmtplib.SMTPSenderRefused() | aiosmtplib.SMTPDataError():
                return f"refused: {self._answer(error.code, error.message)}", is_final(error.code)
            case aiosmtplib.SMTPResponseException():
                return self._answer(error.code, error.message), False
            case aiosmtplib.SMTPConnectError() if isinstance(error.__cause__, OSError):
                return words(error.__cause__), False
            case aiosmtplib.SMTPException():
                return error.message, False
            case OSError():  # of which a certificate that does not verify is one, and a ValueError as well
                return words(error), False
            case _:
                return str(error), True

    def _answer(self, code: int, text: str) -> str:
        return self._masked(f"{code} {text}")

    def _masked(self, text: str) -> str:
        if self._password:
            for form in (self._password, base64.b64encode(self._password.encode()).decode()):
                text = text.replace(form, "***")
        return one_line(text, ANSWER_LIMIT)

    def _read_files(self) -> ssl.SSLContext | None:
        """Takes the password from its file; the context, if there is to be TLS. Blocks, so it has a thread of its own.

        Raises:
            OSError: a file cannot be read, or is not what it should be.

        """
        config = self._config
        if config.user is not None and config.password_file is not None:
            self.doing = f"reading password_file {config.password_file}"
            with config.password_file.open("rb") as file:
                raw = file.read(PASSWORD_LIMIT + 1)
            if len(raw) > PASSWORD_LIMIT:
                raise OSError(f"longer than {PASSWORD_LIMIT} bytes")
            self._password = raw.decode("utf-8", "surrogateescape").rstrip("\r\n")
        if config.security == "none":
            return None
        self.doing = f"reading ca_file {config.ca_file}" if config.ca_file else "reading this machine's CA certificates"
        context = ssl.create_default_context(cafile=config.ca_file)
        if not config.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def is_final(code: int) -> bool:
    return 500 <= code <= 599
