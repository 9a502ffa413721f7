from dataclasses import dataclass
from typing import ClassVar

from checkers.base import OptionError, show
from checkers.lines import LoginChecker
from checkers.replies import tagged, untagged
from checkers.talk import Talk


@dataclass(frozen=True, kw_only=True)
class Imap(LoginChecker):
    """Passes when an IMAP server greets and, with `user`, lets this user in and opens `mailbox` for reading.

    Without `mailbox` the login is enough; to open one, such as INBOX, tells that the storage is there.
    """

    default_port: ClassVar[int] = 143
    grammar = staticmethod(untagged)
    goodbye: ClassVar[bytes] = b"bye LOGOUT\r\n"

    mailbox: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mailbox is not None and self.user is None:
            raise OptionError("mailbox", "needs user, whose mailbox this is")
        if self.mailbox is not None and not (self.mailbox and self.mailbox.isprintable() and self.mailbox.isascii()):
            raise OptionError("mailbox", "must be a name in ASCII; others are written in modified UTF-7 (RFC 3501)")

    async def converse(self, talk: Talk) -> None:
        greeting = await talk.greeting({"OK", "PREAUTH"})
        self.judge_greeting(greeting.lines[0])
        if self.starttls:
            await talk.ask(b"tls STARTTLS", {"OK"}, "STARTTLS", grammar=tagged(b"tls"))
            await talk.start_tls(self)
        if self.user is not None:
            doing = f"login as {show(self.user)}"
            await self._send_strings(talk, b"LOGIN", (self.user.encode(), self._password), doing)
        if self.mailbox is not None:
            await self._send_strings(talk, b"EXAMINE", (self.mailbox.encode(),), f"mailbox {show(self.mailbox)}")

    async def _send_strings(self, talk: Talk, command: bytes, strings: tuple[bytes, ...], doing: str) -> None:
        """`command` with its arguments as synchronizing literals (RFC 9051, section 4.3), which can hold anything."""
        tag = command.lower()
        grammar = tagged(tag)
        sent = tag + b" " + command
        for string in strings:
            await talk.ask(b"%b {%d}" % (sent, len(string)), {"+"}, doing, grammar=grammar)
            sent = string
        await talk.ask(sent, {"OK"}, doing, grammar=grammar, done=doing)


@dataclass(frozen=True, kw_only=True)
class Imaps(Imap):
    """`imap` with TLS from the beginning."""

    default_port: ClassVar[int] = 993

    tls: bool = True

    def __post_init__(self) -> None:
        if not self.tls:
            raise OptionError("tls", 'cannot be false here: type = "imap" is the one without TLS')
        super().__post_init__()
