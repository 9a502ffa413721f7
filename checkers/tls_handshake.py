import datetime as dt
import functools
from dataclasses import dataclass
from typing import ClassVar

from checkers import net, today
from checkers.base import Code, Failed, OptionError, Outcome, Target, passed
from checkers.certificate import NotACertificateError, ends
from checkers.durations import seconds_of
from checkers.tls import TlsChecker
from checkers.tls_buffers import TlsBuffers

OFF = "off"


@dataclass(frozen=True, kw_only=True)
class Tls(TlsChecker):
    """Passes when a TLS handshake succeeds and the certificate is valid, for the name, and for some time to come.

    One that ends within `expires_warn` passes as degraded, one that ends within `expires_fail` fails. With
    `verify = false` only these two times are looked at. Where `alpn` is given, the server has to choose one of it.
    Without `tls_name` the certificate must carry the address.
    """

    default_port: ClassVar[int] = 443
    lean: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    tls: bool = True
    expires_warn: str = "14d"
    expires_fail: str = OFF

    def __post_init__(self) -> None:
        if not self.tls:
            raise OptionError("tls", 'cannot be false here: type = "tcp" is the check without TLS')
        super().__post_init__()
        if self._warn is not None and self._fail is not None and self._warn <= self._fail:
            later = f"must be longer than expires_fail ({self.expires_fail}) to come before it"
            raise OptionError("expires_warn", f'is {self.expires_warn}, but {later}, or "off"')

    @functools.cached_property
    def _warn(self) -> dt.timedelta | None:
        return _span("expires_warn", self.expires_warn)

    @functools.cached_property
    def _fail(self) -> dt.timedelta | None:
        return _span("expires_fail", self.expires_fail)

    async def check(self, target: Target) -> Outcome:
        async with net.connect(target, speaks_first=True) as stream:
            await self.start_tls(stream, target.address)
            if stream.tls is None:
                raise RuntimeError("TLS was started and is not there")
            return self._judged(stream.tls)

    def _judged(self, tls: TlsBuffers) -> Outcome:
        spoken = tls.described()
        if self.alpn:
            if tls.protocol() is None:
                raise Failed(Code.L6RSP, f"{spoken}, but none of these protocols (ALPN): {', '.join(self.alpn)}")
            spoken += f", {tls.protocol()}"
        try:
            end = ends(tls.certificate())
        except NotACertificateError as error:
            raise Failed(Code.L6RSP, f"{spoken}, but the server's certificate cannot be read: {error}") from error
        left = end - today.now()
        told = f"{spoken}, certificate {_told(left)} ({end:%Y-%m-%d %H:%M} UTC)"
        if self._fail is not None and left <= self._fail:
            raise Failed(Code.L6RSP, f"{told}; expires_fail = {self.expires_fail}")
        soon = self._warn is not None and left <= self._warn
        warning = f"; expires_warn = {self.expires_warn}" if soon else ""
        return passed(Code.L6OK, told + warning, degraded=soon, expires=end.timestamp())


def _span(option: str, text: str) -> dt.timedelta | None:
    return None if text == OFF else dt.timedelta(seconds=seconds_of(option, text))


def _told(left: dt.timedelta) -> str:
    if left < dt.timedelta(0):
        return "has expired"
    if left < dt.timedelta(days=2):
        return f"expires in {left // dt.timedelta(hours=1)} hours"
    return f"expires in {left.days} days"
