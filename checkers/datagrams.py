from __future__ import annotations

import socket
from typing import Self

from checkers import net
from checkers.base import Code
from checkers.fault import ended

_IP_RECVERR, _IPV6_RECVERR = 11, 25  # linux/in.h, linux/in6.h


class HearingDatagrams(net.Datagrams):
    """A UDP socket that hears of every ICMP error: "host unreachable" too, which Linux else takes for passing."""

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        try:
            if self._sock.family == socket.AF_INET6:
                self._sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
            else:
                self._sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        except OSError as error:
            self._sock.close()
            raise ended(error, Code.SOCKERR, "opening a UDP socket") from error
        return self

    def local(self) -> tuple[str, int]:
        """Address and port of this end."""
        address: tuple[str, int] = self._sock.getsockname()[:2]
        return address
