"""What all kinds of line protocols derive from. A kind says in `converse` what is asked, in its protocol's words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from checkers import net
from checkers.base import Code, Failed, OptionError, Outcome, Target, passed, show
from checkers.passwords import password_of
from checkers.replies import single
from checkers.talk import Talk
from checkers.tls import TlsChecker


@dataclass(frozen=True, kw_only=True)
class LineChecker(TlsChecker):
    """The base of the line protocols: connects, has TLS from the beginning where asked, converses, and says goodbye.

    `greeting` is a text that must stand in what the server says first.
    """

    lean: ClassVar[bool] = True
    shared: ClassVar[bool] = True
    grammar = staticmethod(single)
    goodbye: ClassVar[bytes] = b"QUIT\r\n"

    greeting: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.greeting == "":
            raise OptionError("greeting", "must not be empty: leave it out to take any")

    async def check(self, target: Target) -> Outcome:
        async with net.connect(target) as stream:
            talk = Talk(stream, target, type(self).grammar)
            if self.tls:
                await talk.start_tls(self)
            try:
                await self.converse(talk)
            except Failed:
                await talk.farewell(self.goodbye)
                raise
            await talk.farewell(self.goodbye)
        return passed(Code.L7OK, str(talk))

    async def converse(self, talk: Talk) -> None:
        """All that is asked between connecting and goodbye.

        Raises:
            Failed: the server did not give the answers that it should.

        """
        raise NotImplementedError

    def judge_greeting(self, text: bytes) -> None:
        """Raises Failed if it is not the expected one."""
        if self.greeting is not None and self.greeting.encode() not in text:
            raise Failed(Code.L7RSP, f"greeted with {show(text)}; expected {show(self.greeting)} in it")


@dataclass(frozen=True, kw_only=True)
class LoginChecker(LineChecker):
    """The base of those with a login: `user` and `password_file`, and TLS after a command with `starttls`."""

    tls_switch: ClassVar[str] = "tls = true or starttls = true"

    starttls: bool = False
    user: str | None = None
    password_file: str | None = None

    _password: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tls and self.starttls:
            raise OptionError("starttls", "cannot stand beside tls = true: TLS is spoken from the beginning then")
        if self.user is not None and not (self.user and self.user.isprintable()):
            raise OptionError("user", "must not be empty, and may hold no control character")
        object.__setattr__(self, "_password", self.read_password())

    def read_password(self) -> bytes:
        """Raises OptionError where `user` and `password_file` do not go together."""
        return password_of(self.user, self.password_file)

    def may_use_tls(self) -> bool:
        return self.tls or self.starttls
