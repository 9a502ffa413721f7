from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from checkers import mysql_wire, net
from checkers.base import Code, Failed, Outcome, Phase, Target, passed, show
from checkers.extras import extra
from checkers.fault import barred
from checkers.mysql_wire import Greeting, NotMysqlError, Packet, Refusal
from checkers.relay import Relay
from checkers.sql import Answer, RelayedSqlChecker, ask

_STRANGER = "healthd"
"""The user who asks to be let in where nobody logs in. Who hangs up without asking, or cannot prove a password in the
way the server would have it, is an interrupted connection to it, and after `max_connect_errors` of those it blocks the
host. A user who is refused is none."""

_ERROR, _OK, _OTHER_METHOD = 0xFF, 0x00, 0xFE


@dataclass(frozen=True, kw_only=True)
class Mysql(RelayedSqlChecker):
    """Passes when a MySQL or MariaDB server lets clients try to log in, or, with `user`, logs this one in and answers.

    `role` is what the server must be: one that is read_only is a replica.
    """

    default_port: ClassVar[int] = 3306

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.user is not None:
            with extra("mysql"):
                import checkers.mysql_session  # noqa: F401, PLC0415 - for those alone who log in

    async def check(self, target: Target) -> Outcome:
        async with net.connect(target) as stream:
            if self.user is None:
                return await self._shake_hands(stream, target)
            answer = await self._ask(stream, target)
        return self.judge(answer, self.role)

    async def _ask(self, stream: net.Stream, target: Target) -> Answer:
        from checkers.mysql_session import MysqlSession, understood  # noqa: PLC0415 - as above

        context = self.tls_context() if self.tls else None
        name = self.tls_name or target.address
        async with Relay(stream, target, understood) as relay:
            return await ask(relay, lambda: MysqlSession(relay.socket, self, context, name), self.query, self.role)

    async def _shake_hands(self, stream: net.Stream, target: Target) -> Outcome:
        target.trace.enter(Phase.TALK, "waiting for the greeting")
        packet = await _receive(stream, "the greeting")
        try:
            greeting = mysql_wire.greeting(packet.body)
        except NotMysqlError:
            raise Failed(Code.L7RSP, f"the greeting is not MySQL's: {show(packet.body)}") from None
        if isinstance(greeting, Refusal):
            if greeting.only_of_this_host:
                raise barred(_shown(greeting))
            raise Failed(Code.L7STS, f"refuses clients: {_shown(greeting)}")
        number = packet.number + 1
        if self.tls:
            if not greeting.tls:
                raise Failed(Code.L6RSP, f"the server, version {show(greeting.version)}, speaks no TLS")
            await stream.send(mysql_wire.ssl_request(number, greeting.method))
            await self.start_tls(stream, target.address)
            number += 1
        target.trace.enter(Phase.TALK, "waiting for the answer to a login")
        await stream.send(mysql_wire.login(number, _STRANGER, greeting.method, tls=self.tls))
        return await _judged(stream, greeting)


async def _judged(stream: net.Stream, greeting: Greeting) -> Outcome:
    packet = await _receive(stream, "the answer to a login")
    if packet.body[0] == _OTHER_METHOD:  # than the greeting's: once is as often as a server asks
        await stream.send(mysql_wire.no_password(packet.number + 1))
        packet = await _receive(stream, "the answer to a login")
    answer = packet.body
    said = f"version {show(greeting.version)}"
    if answer[0] == _ERROR:
        try:
            refusal = mysql_wire.refusal(answer)
        except NotMysqlError:
            raise Failed(Code.L7RSP, f"{said} answers a login with {show(answer)}") from None
        if not refusal.only_of_the_client:
            raise Failed(Code.L7STS, f"{said} refuses clients: {_shown(refusal)}")
        return passed(Code.L7OK, f"{said} answers clients: {_shown(refusal)}")
    if answer[0] == _OK:
        await stream.send(mysql_wire.COM_QUIT)
    return passed(Code.L7OK, f"{said} lets clients log in")


async def _receive(stream: net.Stream, what: str) -> Packet:
    received = b""
    try:
        while (packet := mysql_wire.first_packet(received)) is None:
            data = await stream.receive(mysql_wire.LONGEST)
            if not data:
                shown = show(received) if received else "nothing"
                raise Failed(Code.L7RSP, f"connection closed before {what}, received {shown}")
            received += data
    except NotMysqlError:
        raise Failed(Code.L7RSP, f"{what} is not MySQL's, received {show(received)}") from None
    return packet


def _shown(refusal: Refusal) -> str:
    return f"{refusal.number} {show(refusal.text, 200)}"
