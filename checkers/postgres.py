from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Never

from checkers import net, postgres_wire
from checkers.base import Code, Failed, Outcome, Phase, Target, passed, show
from checkers.extras import extra
from checkers.postgres_wire import NotPostgresError, Refusal
from checkers.relay import Relay
from checkers.sql import Answer, RelayedSqlChecker, ask

_STRANGER = "healthd"
"""The user, and the database, that are named where nobody logs in."""


@dataclass(frozen=True, kw_only=True)
class Postgres(RelayedSqlChecker):
    """Passes when a PostgreSQL server lets clients begin to log in, or, with `user`, logs this one in and answers it.

    `role` is what the server must be: a standby, which is in recovery, is a replica.
    """

    default_port: ClassVar[int] = 5432

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.user is not None:
            with extra("postgres"):
                import checkers.postgres_session  # noqa: F401, PLC0415 - for those alone who log in

    async def check(self, target: Target) -> Outcome:
        async with net.connect(target) as stream:
            if self.tls:
                await self._begin_tls(stream, target)
            if self.user is None:
                return await _shake_hands(stream, target)
            answer = await self._ask(stream, target)
        return self.judge(answer, self.role)

    async def _begin_tls(self, stream: net.Stream, target: Target) -> None:
        target.trace.enter(Phase.TLS, "waiting for the answer to SSLRequest")
        await stream.send(postgres_wire.SSL_REQUEST)
        answer = await stream.receive(1)  # not a byte more: what is sent before the handshake is nobody's
        if answer != b"S":
            what = {b"N": "the server speaks no TLS", b"": "connection closed by the server"}.get(
                answer, f"SSLRequest was answered with {show(answer)}"
            )
            raise Failed(Code.L6RSP, what)
        await self.start_tls(stream, target.address)

    async def _ask(self, stream: net.Stream, target: Target) -> Answer:
        from checkers.postgres_session import PostgresSession, understood  # noqa: PLC0415 - as above

        async with Relay(stream, target, understood) as relay:
            return await ask(relay, lambda: PostgresSession(relay.socket, self), self.query, self.role)


async def _shake_hands(stream: net.Stream, target: Target) -> Outcome:
    target.trace.enter(Phase.TALK, "waiting for the answer to StartupMessage")
    await stream.send(postgres_wire.startup(_STRANGER, _STRANGER))
    received = b""
    try:
        while (message := postgres_wire.first_message(received)) is None:
            data = await stream.receive(postgres_wire.LONGEST)
            if not data:
                _not_postgres("connection closed by the server", received)
            received += data
    except NotPostgresError:
        _not_postgres("the answer is not PostgreSQL's", received)
    if message.kind == b"R":
        if not any(message.body[:4]):
            await stream.send(postgres_wire.TERMINATE)  # no password was asked for: it is a session already
        return passed(Code.L7OK, f"lets clients log in, {postgres_wire.method(message.body)}")
    refusal = postgres_wire.refusal(message.body)
    if not refusal.only_of_the_client:
        raise Failed(Code.L7STS, f"refuses clients: {_shown(refusal)}")
    return passed(Code.L7OK, f"answers clients: {_shown(refusal)}")


def _shown(refusal: Refusal) -> str:
    return f"{refusal.state[:5]} {show(refusal.text, 200)}"


def _not_postgres(what: str, received: bytes) -> Never:
    raise Failed(Code.L7RSP, f"{what}, received {show(received) if received else 'nothing'}") from None
