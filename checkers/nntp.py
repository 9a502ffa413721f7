import re
from dataclasses import dataclass
from typing import ClassVar

from checkers.base import Code, Failed, OptionError, show
from checkers.lines import LoginChecker
from checkers.talk import Talk

_GROUP = re.compile(r"[!-~]{1,460}")
_MODE_READER_IS_NEWS_TO_IT = ("480", "500", "501", "503")


@dataclass(frozen=True, kw_only=True)
class Nntp(LoginChecker):
    """Passes when a news server greets and, where asked, lets `user` in and has the newsgroup `group`."""

    default_port: ClassVar[int] = 119

    group: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.group is not None and not _GROUP.fullmatch(self.group):
            raise OptionError(
                "group", f'must be the name of a newsgroup such as "comp.lang.python", not "{self.group}"'
            )

    async def converse(self, talk: Talk) -> None:
        self.judge_greeting((await talk.greeting({"200", "201"})).lines[0])
        if self.starttls:  # RFC 4642
            await talk.ask(b"STARTTLS", {"382"}, "STARTTLS")
            await talk.start_tls(self)
        if self.user is not None or self.group is not None:
            await self._become_reader(talk)
        if self.user is not None:
            await self._log_in(talk, self.user)
        if self.group is not None:
            selected = await talk.ask(f"GROUP {self.group}".encode(), {"211"}, f"group {show(self.group)}")
            talk.note(f"group {selected}")

    async def _become_reader(self, talk: Talk) -> None:
        """RFC 3977, section 5.3: a server that feeds others too may take the commands of readers only after this."""
        reply = await talk.answer(b"MODE READER", "MODE READER")
        if reply.status not in ("200", "201", *_MODE_READER_IS_NEWS_TO_IT):
            raise Failed(Code.L7STS, f"MODE READER: answered {reply}; expected 200 or 201")

    async def _log_in(self, talk: Talk, user: str) -> None:
        """RFC 4643, section 2.3: with some servers the name is enough."""
        doing = f"login as {show(user)}"
        reply = await talk.ask(b"AUTHINFO USER " + user.encode(), {"281", "381"}, doing)
        if reply.status == "381":
            await talk.ask(b"AUTHINFO PASS " + self._password, {"281"}, doing)
        talk.note(doing)
