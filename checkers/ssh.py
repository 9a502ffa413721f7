import re
import struct
from dataclasses import dataclass
from typing import ClassVar

from checkers.base import Code, Failed, show
from checkers.fault import barred
from checkers.lines import LineChecker
from checkers.replies import MOST_LINES
from checkers.talk import Talk

_KEXINIT = 20
_SHORTEST_PACKET, _LONGEST_PACKET = 12, 35000  # bytes (RFC 4253, sections 6 and 6.1)
_PENALTY = b"Not allowed at this time"  # OpenSSH's sshd.c since 9.8; see PerSourcePenalties in sshd_config(5)
_IDENTIFICATION = re.compile(rb"SSH-(?:2\.0|1\.99)-[ -~]{1,245}")  # 255 bytes with the line's end


def _disconnect(description: bytes) -> bytes:
    """SSH_MSG_DISCONNECT by the application (RFC 4253, section 11.1) in a packet of the time before any keys (6)."""
    payload = struct.pack(">BII", 1, 11, len(description)) + description + struct.pack(">I", 0)
    padding = 4 + (-(4 + 1 + len(payload) + 4)) % 8
    return struct.pack(">IB", 1 + len(payload) + padding, padding) + payload + bytes(padding)


@dataclass(frozen=True, kw_only=True)
class Ssh(LineChecker):
    """Passes when an SSH server names itself and version 2 of the protocol, and begins the exchange of keys.

    It is told goodbye before any keys are exchanged, so that it logs a disconnected client and no broken one.
    """

    default_port: ClassVar[int] = 22
    goodbye: ClassVar[bytes] = _disconnect(b"health check")

    async def converse(self, talk: Talk) -> None:
        line = await self._identification(talk)
        await talk.send(b"SSH-2.0-healthd\r\n")
        await self._key_exchange(talk)
        talk.settled = True
        self.judge_greeting(line)
        talk.note(f"greeted with {show(line)}")

    async def _identification(self, talk: Talk) -> bytes:
        doing, before = "identification", b""
        for _ in range(MOST_LINES):  # RFC 4253, section 4.2: other lines may come before
            line = await talk.line(doing)
            if _IDENTIFICATION.fullmatch(line):
                return line
            if line.startswith(b"SSH-"):
                expected = 'expected an identification such as "SSH-2.0-OpenSSH_9.2"'
                raise Failed(Code.L7RSP, f"{expected}, received {show(line)}")
            if line == _PENALTY:
                raise barred(f"{show(line)}; PerSourcePenaltyExemptList there lets it ask")
            before = before or line
            doing = f"identification, so far {show(before)}"
        raise Failed(Code.L7RSP, f"no identification in {MOST_LINES} lines, the last is {show(line)}")

    async def _key_exchange(self, talk: Talk) -> None:
        """Takes in the server's SSH_MSG_KEXINIT (RFC 4253, section 7.1), with which every server begins.

        Something unread would make a reset of the connection's end.
        """
        doing = "key exchange"
        head = await talk.binary(6, doing)
        length, _, message = struct.unpack(">IBB", head)
        if message != _KEXINIT or not _SHORTEST_PACKET <= length <= _LONGEST_PACKET:
            raise Failed(Code.L7RSP, f"expected SSH_MSG_KEXINIT after the identification, received {show(head)}")
        await talk.binary(length - 2, doing)
