import functools
import re
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from checkers import net
from checkers.base import Code, Failed, OptionError, Outcome, Phase, Target, passed, show
from checkers.durations import seconds_of
from checkers.passwords import password_of, read_password
from checkers.resp import LONGEST_BULK, LONGEST_LINE, MalformedError, Reply, command, fields, take
from checkers.tls import TlsChecker

_READ_AT_MOST = LONGEST_BULK + LONGEST_LINE
DOWN = "master_link_down_since_seconds"
NEVER = "-1"
"""How long a link is down that never was up."""
_NUMBER = re.compile(r"-?[0-9]{1,9}")
_ROLES = {"master": "master", "slave": "replica"}  # INFO's word for a replica is the old one


@dataclass(frozen=True, kw_only=True)
class Redis(TlsChecker):
    """Passes when a Redis server answers PING, after a login where asked, and has the expected role.

    With `role = "replica"` its link to the master has to be up; `max_lag` is how long ago it may have heard of the
    master at most. The password may be given without a `user`.
    """

    default_port: ClassVar[int] = 6379
    lean: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    user: str | None = None
    password_file: str | None = None
    role: Literal["any", "master", "replica"] = "any"
    max_lag: str | None = None

    _password: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.user is None and self.password_file is not None:
            password = read_password("password_file", self.password_file)
        else:
            password = password_of(self.user, self.password_file)
        object.__setattr__(self, "_password", password)
        if self.max_lag is not None and self.role != "replica":
            raise OptionError("max_lag", 'needs role = "replica": only a replica lags behind')
        self._seconds  # noqa: B018 - a value that cannot be used is refused here

    @functools.cached_property
    def _seconds(self) -> float | None:
        return None if self.max_lag is None else seconds_of("max_lag", self.max_lag)

    async def check(self, target: Target) -> Outcome:
        async with net.connect(target, speaks_first=True) as stream:
            if self.tls:
                await self.start_tls(stream, target.address)
            if self._password:
                user = () if self.user is None else (self.user.encode(),)
                await _ask(stream, target, "AUTH", *user, self._password)
            pong = await _ask(stream, target, "PING")
            if pong != Reply("+", b"PONG"):
                raise Failed(Code.L7RSP, f"PING: expected PONG, received {pong}")
            if self.role == "any":
                return passed(Code.L7OK, 'answered PING with "PONG"')
            info = await _ask(stream, target, "INFO", b"replication")
        return self._judged(fields(info.data))

    def _judged(self, info: dict[str, str]) -> Outcome:
        """Raises Failed unless the role, and the state of the replication, are as they should be."""
        found = info.get("role", "")
        role = _ROLES.get(found)
        if role is None:
            raise Failed(Code.L7RSP, f"INFO: expected the role to be master or slave, not {show(found)}")
        if role != self.role:
            raise Failed(Code.L7RSP, f"it is a {role}; expected a {self.role}")
        if role == "master":
            count = _number(info, "connected_slaves")
            return passed(Code.L7OK, f"it is a master with {count} replica{'s' * (count != '1')}")
        master = f"its master {show(info.get('master_host', ''))} port {_number(info, 'master_port')}"
        if info.get("master_link_status") != "up":
            down = _number(info, DOWN) if DOWN in info else None
            since = "" if down is None else ", and never was up" if down == NEVER else f", for {down} s"
            raise Failed(Code.L7RSP, f"it is a replica whose link to {master} is down{since}")
        lag = _number(info, "master_last_io_seconds_ago")
        if self._seconds is not None and not (lag.isdecimal() and float(lag) <= self._seconds):
            raise Failed(Code.L7RSP, f"it is a replica that heard of {master} {lag} s ago, limit {self.max_lag}")
        return passed(Code.L7OK, f"it is a replica, {lag} s ago in touch with {master}")


def _number(info: dict[str, str], name: str) -> str:
    """As the server writes it; what is no number, or missing, in quotes."""
    text = info.get(name, "")
    return text if _NUMBER.fullmatch(text) else show(text)


async def _ask(stream: net.Stream, target: Target, name: str, *words: bytes) -> Reply:
    """The reply to a command, which is named and never shown: it may hold a password.

    Raises:
        Failed: an error, or nothing that Redis says.

    """
    target.trace.enter(Phase.TALK, f"waiting for the answer to {name}")
    await stream.send(command(name.encode(), *words))
    received = bytearray()
    while True:
        data = await stream.receive(_READ_AT_MOST)
        received += data
        try:
            taken = take(bytes(received))
        except MalformedError as error:
            raise Failed(Code.L7RSP, f"{name}: {error}") from error
        if taken is not None:
            break
        if not data:
            so_far = f", received {show(bytes(received))}" if received else ""
            raise Failed(Code.L7RSP, f"{name}: connection closed before the answer{so_far}")
    reply, _ = taken
    if reply.sign == "-":
        raise Failed(Code.L7STS, f"{name}: answered {show(reply.data, 100)}")
    return reply
