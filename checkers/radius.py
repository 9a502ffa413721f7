from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from checkers import net
from checkers.base import Checker, Code, Failed, OptionError, Outcome, Phase, Target, passed, show
from checkers.extras import extra
from checkers.passwords import read_password

_LONGEST_USER, _LONGEST_PASSWORD = 253, 128  # bytes: RFC 2865, sections 5 and 5.2


@dataclass(frozen=True, kw_only=True)
class Radius(Checker):
    """Passes when a RADIUS server answers an Access-Request for `user` with what is expected: accept, or reject.

    An answer counts only if it is signed with the secret in `secret_file`, which the server has for this client.
    """

    default_port: ClassVar[int] = 1812
    lean: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    user: str
    password_file: str
    secret_file: str
    expect: Literal["accept", "reject"] = "accept"

    _password: bytes = field(init=False, repr=False)
    _secret: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        with extra("radius"):
            import checkers.radius_wire  # noqa: F401, PLC0415 - for those alone who have such a check
        if not 1 <= len(self.user.encode()) <= _LONGEST_USER or not self.user.isprintable():
            raise OptionError("user", f"must be from 1 to {_LONGEST_USER} bytes, without control characters")
        object.__setattr__(self, "_password", read_password("password_file", self.password_file))
        object.__setattr__(self, "_secret", read_password("secret_file", self.secret_file))
        if len(self._password) > _LONGEST_PASSWORD:
            raise OptionError("password_file", f"RADIUS takes no password longer than {_LONGEST_PASSWORD} bytes")

    async def check(self, target: Target) -> Outcome:
        from checkers.radius_wire import LONGEST, Request  # noqa: PLC0415 - as above

        request = Request(self.user, self._password, self._secret)
        doing = f"waiting for the answer to an Access-Request for {show(self.user)}"
        passed_over = 0
        async with net.Datagrams(target) as datagrams:
            await datagrams.send(request.data)
            target.trace.enter(Phase.TALK, f"{doing}; a server that has another secret gives none")
            while (reply := request.reply(data := await datagrams.receive(LONGEST))) is None:
                passed_over += 1
                text = f"{doing}; {passed_over} passed over, not signed with the secret, the last {show(data)}"
                target.trace.enter(Phase.TALK, text)
                await target.io.turn()  # a flood of them must not keep others from their turn
        said = f"{reply.name} for {show(self.user)}" + (f", {show(reply.message)}" if reply.message else "")
        if reply.name != f"Access-{self.expect.title()}":
            raise Failed(Code.L7STS, f"{said}; expected Access-{self.expect.title()}")
        return passed(Code.L7OK, said)
