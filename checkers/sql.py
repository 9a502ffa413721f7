"""What the checkers of databases have in common: who logs in, what is asked, and what is expected of the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

from checkers.base import Checker, Code, Failed, OptionError, Outcome, passed, show
from checkers.passwords import read_password
from checkers.relay import Relay
from checkers.tls import TlsChecker

Role = Literal["primary", "replica"]
Row = Sequence[str | None]

MOST_ROWS = 1000


class Session(Protocol):
    """A login, by a library that blocks."""

    def rows(self, query: str) -> Sequence[Row]: ...

    def replica(self) -> tuple[bool, str]:
        """Whether the server is one, and how it said so."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """`rows` of the query, as text, None for NULL. `replica` says whether the server is one, `evidence` how it said so.

    Either is None where it was not asked for.
    """

    rows: Sequence[Row] | None = None
    replica: bool | None = None
    evidence: str = ""


@dataclass(frozen=True, kw_only=True)
class SqlChecker(Checker):
    """The base of checkers that log in to a database as `user` and may run a `query`.

    The query has to return at least `min_rows` rows, and `expect`, if given, as the first value of the first.
    """

    user: str | None = None
    password_file: str | None = None
    query: str | None = None
    expect: str | None = None
    min_rows: int = 1

    password: bytes = field(init=False, repr=False, default=b"")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.refuse_empty("user", "query")
        for option in ("expect", "min_rows"):
            if self.query is None and getattr(self, option) not in (None, 1):
                raise OptionError(option, "needs query, whose answer this is about")
        if not 0 <= self.min_rows <= MOST_ROWS:
            raise OptionError("min_rows", f"must be from 0 to {MOST_ROWS}, not {self.min_rows}")
        if self.expect is not None and self.min_rows == 0:
            raise OptionError("min_rows", "cannot be 0 beside expect, which needs a row")
        if self.password_file is not None:
            object.__setattr__(self, "password", read_password("password_file", self.password_file))

    def refuse_empty(self, *options: str) -> None:
        """Raises OptionError for one that is given and says nothing."""
        for option in options:
            value = getattr(self, option)
            if value is not None and (not value or "\0" in value):
                raise OptionError(option, "must not be empty, and hold no NUL")

    def judge(self, answer: Answer, role: Role | None = None) -> Outcome:
        """Raises Failed unless the answer is the expected one."""
        said = [f"logged in as {show(self.user or '')}"]
        if role is not None:
            said.append(f"is a {_judged(role, answer)}")
        if answer.rows is not None:
            said.append(self._judged_rows(answer.rows))
        return passed(Code.L7OK, ", ".join(said))

    def _judged_rows(self, rows: Sequence[Row]) -> str:
        count = f"{len(rows)} row{'' if len(rows) == 1 else 's'}"
        if len(rows) < self.min_rows:
            raise Failed(Code.L7RSP, f"the query returned {count}; expected at least {self.min_rows}")
        if not rows or not rows[0]:
            return f"the query returned {count}"
        value = rows[0][0]
        shown = "NULL" if value is None else show(value)
        if self.expect is not None and value != self.expect:
            raise Failed(Code.L7RSP, f"the first value is {shown}; expected {show(self.expect)}")
        return f"the query returned {count}, the first value is {shown}"


@dataclass(frozen=True, kw_only=True)
class RelayedSqlChecker(SqlChecker, TlsChecker):
    """The base of those whose library talks through a `Relay`. Without `user` only a handshake is looked at.

    `role` is what the server must be.
    """

    shared: ClassVar[bool] = True
    routed: ClassVar[bool | None] = True

    database: str | None = None
    role: Role | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "lean", self.user is None)  # the handshake needs no more than checkers.net
        super().__post_init__()
        self.refuse_empty("database")
        for option in ("password_file", "database", "query", "role"):
            if self.user is None and getattr(self, option) is not None:
                raise OptionError(option, "needs user: without it nobody logs in, only the handshake is looked at")


async def ask(relay: Relay, log_in: Callable[[], Session], query: str | None, role: Role | None) -> Answer:
    """What the server answers to one who logs in, and out again."""
    rows, replica, evidence = None, None, ""
    session = await relay.call("logging in", log_in)
    if role is not None:
        replica, evidence = await relay.call("asking for the role", session.replica)
    if query is not None:
        rows = await relay.call("running the query", session.rows, query)
    await relay.call("logging out", session.close)
    return Answer(rows, replica, evidence)


def _judged(role: Role, answer: Answer) -> Role:
    found: Role = "replica" if answer.replica else "primary"
    if found != role:
        raise Failed(Code.L7STS, f"it is a {found} ({answer.evidence}); expected a {role}")
    return found
