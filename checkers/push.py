import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from checkers.base import Checker, Code, OptionError, Outcome, Target, Unable
from checkers.durations import seconds_of
from checkers.passwords import read_password

_TOKEN = re.compile(rb"[!-~]{20,200}")


@dataclass(frozen=True, kw_only=True)
class Push(Checker):
    """Asks nothing: the server, or a job on it, reports to healthd by itself, and at the latest every `deadline`.

    `token_file` holds the token that a report for this check has to come with.
    """

    needs_port: ClassVar[bool] = False
    routed: ClassVar[bool | None] = False

    token_file: str
    deadline: str = "5m"

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.seconds, self.digest  # both are looked at now, as the configuration is

    @cached_property
    def seconds(self) -> float:
        """The deadline."""
        return seconds_of("deadline", self.deadline)

    @cached_property
    def digest(self) -> bytes:
        """The SHA-256 of the token, which itself is not kept."""
        token = read_password("token_file", self.token_file)
        if not _TOKEN.fullmatch(token):
            text = "a token has 20 to 200 characters of ASCII; `openssl rand -hex 20` makes a good one"
            raise OptionError("token_file", text)
        return hashlib.sha256(token).digest()

    async def check(self, target: Target) -> Outcome:  # noqa: ARG002 - nobody is asked
        """What a single check can say: reports come to the running daemon, which has no need of this."""
        raise Unable(Code.SOCKERR, "nothing is asked: reports come to `healthd run`")
