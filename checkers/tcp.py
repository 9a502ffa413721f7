from dataclasses import dataclass
from typing import ClassVar

from checkers import net
from checkers.base import Checker, Code, Outcome, Target, passed
from checkers.proxy_header import Version, header

_L4OK = Code.L4OK  # looking up a member of an enum costs as much as a call


@dataclass(frozen=True, kw_only=True)
class Tcp(Checker):
    """Passes when a TCP connection is established. It is closed at once, with a reset: no TIME_WAIT is left behind.

    `proxy_protocol` is for a server that expects a header of the PROXY protocol first.
    """

    lean: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    proxy_protocol: Version | None = None

    async def check(self, target: Target) -> Outcome:
        async with net.connect(target, reset_on_close=True) as stream:
            if self.proxy_protocol is not None:
                await stream.send(header(self.proxy_protocol, stream.local(), target))
            return passed(_L4OK, target.trace.text)  # "connected to ...": one text is enough for both
