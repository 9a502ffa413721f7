"""RADIUS packets (RFC 2865), by the library pyrad, which is the extra `radius`; no I/O."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from pyrad.packet import AccessRequest, AuthPacket, PacketError

LONGEST = 4096
"""RFC 2865, section 3."""

_USER_NAME, _USER_PASSWORD, _REPLY_MESSAGE, _NAS_IDENTIFIER = 1, 2, 18, 32
_NAMES = {2: "Access-Accept", 3: "Access-Reject", 11: "Access-Challenge"}


@dataclass(frozen=True, slots=True)
class Reply:
    """`message` is the text for the user, if any; `name` that of the code."""

    code: int
    message: bytes

    @property
    def name(self) -> str:
        return _NAMES.get(self.code, f"packet with code {self.code}")


class Request:
    """An Access-Request with a password (PAP), and with a Message-Authenticator (RFC 2869, section 5.14)."""

    def __init__(self, user: str, password: bytes, secret: bytes) -> None:
        self._packet = AuthPacket(AccessRequest, id=secrets.randbelow(256), secret=secret)
        self._packet[_USER_NAME] = [user.encode()]
        self._packet[_USER_PASSWORD] = [self._packet.PwCrypt(password)]
        self._packet[_NAS_IDENTIFIER] = [b"healthd"]
        self._packet.add_message_authenticator()
        self.data: bytes = self._packet.RequestPacket()

    def reply(self, datagram: bytes) -> Reply | None:
        """None unless it is one to this request, signed with the secret.

        The Response Authenticator is verified always, a Message-Authenticator where there is one.
        """
        try:
            packet = self._packet.CreateReply(packet=datagram)
        except PacketError:
            return None
        if packet.code not in _NAMES or not self._packet.VerifyReply(packet, datagram):
            return None
        return Reply(packet.code, b" ".join(packet.get(_REPLY_MESSAGE, [])))
