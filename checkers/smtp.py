import base64
import os
import re
from dataclasses import dataclass
from typing import ClassVar

from checkers.base import Code, Failed, OptionError, show
from checkers.lines import LoginChecker
from checkers.replies import Reply, coded
from checkers.talk import Talk
from checkers.tls import is_server_name

_ADDRESS = re.compile(r"[!-;=?-~]{1,320}")  # ASCII without blanks and angle brackets
_UNKNOWN_COMMAND = ("500", "502", "504")


@dataclass(frozen=True, kw_only=True)
class Smtp(LoginChecker):
    """Passes when a mail server greets and answers EHLO, and does what else is asked of it.

    It is asked in this order: `starttls`; a login as `user`, by the mechanism PLAIN or LOGIN; whether it takes mail
    from `mail_from`, which is the empty sender unless given, to `rcpt_to`. No mail is ever sent. `helo` is the name
    that healthd gives itself, this machine's unless given.
    """

    default_port: ClassVar[int] = 25
    grammar = staticmethod(coded)
    hello: ClassVar[str] = "EHLO"

    helo: str | None = None
    mail_from: str | None = None
    rcpt_to: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.helo is not None and not is_server_name(self.helo.strip("[]")):
            raise OptionError("helo", f'must be a host name, or an address in brackets, not "{self.helo}"')
        if self.mail_from is not None and self.rcpt_to is None:
            raise OptionError("mail_from", "needs rcpt_to, the recipient that the server is asked about")
        for option in ("mail_from", "rcpt_to"):
            value = getattr(self, option)
            if value is not None and not _ADDRESS.fullmatch(value) and (option, value) != ("mail_from", ""):
                raise OptionError(option, f'must be an address such as "postmaster@example.com", not "{value}"')

    async def converse(self, talk: Talk) -> None:
        self.judge_greeting(b"\n".join((await talk.greeting({"220"})).lines))
        extensions = await self._say_hello(talk)
        if self.starttls:
            if b"STARTTLS" not in extensions:
                raise Failed(Code.L7RSP, f"{self.hello}: STARTTLS is not offered, {_offered(extensions)}")
            await talk.ask(b"STARTTLS", {"220"}, "STARTTLS")
            await talk.start_tls(self)
            extensions = await self._say_hello(talk)
        if self.user is not None:
            await self._log_in(talk, self.user, extensions.get(b"AUTH", ()))
        if self.rcpt_to is not None:
            await talk.ask(
                f"MAIL FROM:<{self.mail_from or ''}>".encode(), {"250"}, f"MAIL FROM:<{self.mail_from or ''}>"
            )
            recipient = f"RCPT TO:<{self.rcpt_to}>"
            await talk.ask(recipient.encode(), {"250", "251", "252"}, recipient, done=f"{recipient} accepted")

    async def _say_hello(self, talk: Talk) -> dict[bytes, tuple[bytes, ...]]:
        """The extensions that are offered, with their parameters."""
        name = self.helo or _this_machine()
        reply = await talk.answer(f"{self.hello} {name}".encode(), self.hello)
        said = self.hello
        if reply.status in _UNKNOWN_COMMAND and self.hello == "EHLO" and not self.starttls and self.user is None:
            reply = await talk.answer(f"HELO {name}".encode(), "HELO")  # RFC 5321, section 3.2
            said = "HELO"
        if reply.status != "250":
            raise Failed(Code.L7STS, f"{said}: answered {reply}; expected 250")
        talk.note(said)
        return _extensions(reply)

    async def _log_in(self, talk: Talk, user: str, mechanisms: tuple[bytes, ...]) -> None:
        doing = f"login as {show(user)}"
        if b"PLAIN" in mechanisms:  # RFC 4616
            response = base64.b64encode(b"\0" + user.encode() + b"\0" + self._password)
            await talk.ask(b"AUTH PLAIN " + response, {"235"}, doing, done=doing)
        elif b"LOGIN" in mechanisms:
            await talk.ask(b"AUTH LOGIN", {"334"}, doing)
            await talk.ask(base64.b64encode(user.encode()), {"334"}, doing)
            await talk.ask(base64.b64encode(self._password), {"235"}, doing, done=doing)
        else:
            offered = f"AUTH {show(b' '.join(mechanisms))}" if mechanisms else "no AUTH"
            hint = "" if self.starttls or self.tls else "; many servers offer it with TLS only: starttls = true"
            raise Failed(Code.L7RSP, f"{doing}: the server offers {offered}; expected AUTH PLAIN or LOGIN{hint}")


@dataclass(frozen=True, kw_only=True)
class Submission(Smtp):
    """`smtp` on the port where users hand in their mail."""

    default_port: ClassVar[int] = 587


@dataclass(frozen=True, kw_only=True)
class Lmtp(Smtp):
    """`smtp` with LHLO for EHLO: the server that delivers mail into mailboxes (RFC 2033)."""

    default_port: ClassVar[int] = 24
    hello: ClassVar[str] = "LHLO"


def _extensions(reply: Reply) -> dict[bytes, tuple[bytes, ...]]:
    """By keyword in capitals (RFC 5321, section 4.1.1.1), from all lines but the first, which is the server's name."""
    found: dict[bytes, tuple[bytes, ...]] = {}
    for line in reply.lines[1:]:
        keyword, *parameters = line[4:].upper().replace(b"=", b" ").split() or [b""]
        found[keyword] = found.get(keyword, ()) + tuple(parameters)
    return found


def _offered(extensions: dict[bytes, tuple[bytes, ...]]) -> str:
    return f"but {show(b', '.join(extensions), 100)}" if extensions else "nor is anything else"


def _this_machine() -> str:
    name = os.uname().nodename
    return name if is_server_name(name) else "localhost"
