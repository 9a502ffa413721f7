from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from checkers import net
from checkers.base import Code, Outcome, Target, passed, show
from checkers.replies import MalformedError
from checkers.talk import Talk
from checkers.tls import TlsChecker

_FAILURES = (b"ERROR", b"CLIENT_ERROR", b"SERVER_ERROR")


@dataclass(frozen=True, kw_only=True)
class Memcached(TlsChecker):
    """Passes when a memcached server tells its version. No key is read or written."""

    default_port: ClassVar[int] = 11211
    lean: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    async def check(self, target: Target) -> Outcome:
        async with net.connect(target, speaks_first=True) as stream:
            if self.tls:
                await self.start_tls(stream, target.address)
            reply = await Talk(stream, target, versioned).ask(b"version", {"VERSION"}, "version")
        return passed(Code.L7OK, f"answered {reply}")


def versioned(lines: Sequence[bytes]) -> str:
    """The reply to `version` in the text protocol (protocol.txt of memcached): one line.

    Raises:
        MalformedError: a memcached server does not say this.

    """
    word, _, rest = lines[0].partition(b" ")
    if word in _FAILURES or (word == b"VERSION" and rest):
        return word.decode()
    raise MalformedError(f'expected a line such as "VERSION 1.6.18", received {show(lines[0])}')
