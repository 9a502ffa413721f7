from dataclasses import dataclass
from typing import ClassVar

from checkers.base import OptionError, show
from checkers.lines import LoginChecker
from checkers.replies import indicated
from checkers.talk import Talk


@dataclass(frozen=True, kw_only=True)
class Pop3(LoginChecker):
    """Passes when a POP3 server greets and, with `user`, lets this user in and counts the messages in the mailbox.

    A login locks the mailbox for a moment (RFC 1939, section 4): it needs one that nobody else reads.
    """

    default_port: ClassVar[int] = 110
    grammar = staticmethod(indicated)

    async def converse(self, talk: Talk) -> None:
        good = {"+OK"}
        self.judge_greeting((await talk.greeting(good)).lines[0])
        if self.starttls:
            await talk.ask(b"STLS", good, "STLS")
            await talk.start_tls(self)
        if self.user is not None:
            doing = f"login as {show(self.user)}"
            await talk.ask(b"USER " + self.user.encode(), good, doing)
            await talk.ask(b"PASS " + self._password, good, doing, done=doing)
            counted = await talk.ask(b"STAT", good, "STAT")
            talk.note(f"mailbox {counted}")


@dataclass(frozen=True, kw_only=True)
class Pop3s(Pop3):
    """`pop3` with TLS from the beginning."""

    default_port: ClassVar[int] = 995

    tls: bool = True

    def __post_init__(self) -> None:
        if not self.tls:
            raise OptionError("tls", 'cannot be false here: type = "pop3" is the one without TLS')
        super().__post_init__()
