"""Real mail servers on loopback: aiosmtpd, which behaves, told when to refuse."""

import asyncio
import email
import email.policy
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Mailbox:
    """What arrived, and what is answered instead: the answers to DATA and MAIL are used up, those to RCPT stay."""

    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    goodbyes: int = 0
    mail_answers: list[str] = field(default_factory=list)
    data_answers: list[str] = field(default_factory=list)
    refused: dict[str, list[str]] = field(default_factory=dict)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.mail_answers:
            return self.mail_answers.pop(0)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.refused.get(address):
            return self.refused[address].pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.data_answers:
            return self.data_answers.pop(0)
        content = cast(bytes, envelope.content)
        self.messages.append(email.message_from_bytes(content, policy=email.policy.default))
        self.recipients.append(envelope.rcpt_tos)
        self.encrypted.append(cast(asyncio.Transport, server.transport).get_extra_info("sslcontext") is not None)
        return "250 taken"

    async def handle_QUIT(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        self.goodbyes += 1
        return "221 bye"

    def authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: Any) -> AuthResult:
        given = cast(LoginPassword, data)
        login = (given.login.decode(), given.password.decode())
        self.logins.append(login)
        if login == ("healthd", "s3cr3t"):
            return AuthResult(success=True)
        # A careless server, which repeats the password.
        return AuthResult(success=False, handled=False, message=f"535 5.7.8 no login for {login[0]} with {login[1]}")


class MailServers:
    """Any number of them, ended together."""

    def __init__(self) -> None:
        self._servers: list[asyncio.Server] = []
        self._sessions: list[SMTP] = []

    async def start(
        self,
        mailbox: Mailbox,
        *,
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        login: bool = False,
    ) -> int:
        options: Mapping[str, Any] = {
            "hostname": "mx.test",
            "tls_context": starttls,
            "require_starttls": starttls is not None,
            "authenticator": mailbox.authenticate if login else None,
            "auth_required": login,
        }

        def session() -> SMTP:
            self._sessions.append(SMTP(mailbox, loop=asyncio.get_running_loop(), **options))
            return self._sessions[-1]

        server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0, ssl=tls)
        self._servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def end(self) -> None:
        for server in self._servers:
            server.close()
        tasks = [session._handler_coroutine for session in self._sessions if session._handler_coroutine]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for session in self._sessions:
            if isinstance(session.transport, asyncio.Transport):
                with suppress(AttributeError):  # Python 3.11.2 has forgotten a TLS transport that was closed twice
                    session.transport.abort()
        await asyncio.sleep(0)
