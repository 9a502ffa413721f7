"""Questions to the kernel and its answers, over one generic netlink socket. Knows nothing of IPVS.

The kernel answers while it takes the question: when `sendto` returns, the answer (the first part of it, for a dump)
is in the socket's buffer. So this can be called from inside an event loop, and it brings no loop of its own.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from itertools import count

SECONDS = 5
"""How long the kernel may take. It takes microseconds; adding a service that needs a module loaded, less than one."""

_BATCH = 64
"""Questions per send. Their answers must fit into the socket's receive buffer (212,992 bytes) all at once."""

_BUFFER = 65536
_DUMP_TRIES = 5

_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr: length, type, flags, sequence number, port
_ERROR_BODY = struct.Struct("=i")
_ATTRIBUTE = struct.Struct("=HH")

# include/uapi/linux/netlink.h
_F_REQUEST, _F_ACK, _F_DUMP = 0x1, 0x4, 0x300
_F_DUMP_INTR = 0x10
_F_CAPPED, _F_ACK_TLVS = 0x100, 0x200
_ERROR, _DONE = 2, 3
_NETLINK_GENERIC = 16
_SOL_NETLINK, _CAP_ACK, _EXT_ACK = 270, 10, 11
_ERROR_ATTRIBUTE_TEXT = 1


class Refused(OSError):  # noqa: N818 - named for what happened
    """The kernel's answer to one question is an error: `errno`, with its own words where it has any."""


class Interrupted(Exception):  # noqa: N818 - as above
    """The table changed under a dump, every time that it was tried."""


class _DumpInterrupted(Exception):  # noqa: N818 - as above
    pass


class Netlink:
    """One generic netlink socket.

    Raises:
        OSError: netlink itself failed: not allowed here, no memory, no answer in `SECONDS` (a TimeoutError).

    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_GENERIC)
        try:
            timeout = struct.pack("ll", SECONDS, 0)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeout)
            self._socket.setsockopt(_SOL_NETLINK, _CAP_ACK, 1)
            self._socket.setsockopt(_SOL_NETLINK, _EXT_ACK, 1)
            self._socket.bind((0, 0))
        except OSError:
            self._socket.close()
            raise
        self._sequence = count(1)

    def close(self) -> None:
        self._socket.close()

    def ask(self, kind: int, body: bytes) -> bytes:
        """The one message that answers a question. Raises Refused."""
        sequence = self._send([(kind, _F_REQUEST, body)])[0]
        for message_type, _, number, message in self._receive():
            if number == sequence:
                if message_type == _ERROR:
                    raise _refusal(message) or Refused(errno.ENODATA, "an acknowledgement in place of an answer")
                return message
        raise Refused(errno.ENODATA, "no answer")

    def tell(self, kind: int, bodies: Sequence[bytes]) -> list[Refused | None]:
        """Has the kernel do each of them in order; what it said to each: None when done."""
        answers: list[Refused | None] = []
        for start in range(0, len(bodies), _BATCH):
            answers += self._tell_batch([(kind, _F_REQUEST | _F_ACK, body) for body in bodies[start : start + _BATCH]])
        return answers

    def dump(self, kind: int, body: bytes) -> list[bytes]:
        """All messages of a listing, read again when it changed on the way. Raises Refused, Interrupted."""
        for _ in range(_DUMP_TRIES):
            try:
                return list(self._dump_once(kind, body))
            except _DumpInterrupted:
                continue
        raise Interrupted

    def _dump_once(self, kind: int, body: bytes) -> Iterator[bytes]:
        sequence = self._send([(kind, _F_REQUEST | _F_DUMP, body)])[0]
        interrupted = False
        for message_type, flags, number, message in self._receive():
            if number != sequence:
                continue
            interrupted |= bool(flags & _F_DUMP_INTR)
            if message_type in (_ERROR, _DONE):
                refusal = _refusal(message)
                if refusal:
                    raise refusal
                break
            yield message
        if interrupted:
            raise _DumpInterrupted

    def _tell_batch(self, batch: Sequence[tuple[int, int, bytes]]) -> list[Refused | None]:
        waiting = dict.fromkeys(self._send(batch))
        left = len(waiting)
        for message_type, _, number, message in self._receive():
            if message_type == _ERROR and number in waiting:
                waiting[number] = _refusal(message)
                left -= 1
            if not left:
                break
        return list(waiting.values())

    def _send(self, batch: Sequence[tuple[int, int, bytes]]) -> list[int]:
        """Sends the questions in one go; their sequence numbers."""
        numbers = [next(self._sequence) & 0xFFFFFFFF for _ in batch]
        packets = [
            _padded(_HEADER.pack(_HEADER.size + len(body), kind, flags, number, 0) + body)
            for number, (kind, flags, body) in zip(numbers, batch, strict=True)
        ]
        self._socket.sendto(b"".join(packets), (0, 0))
        return numbers

    def _receive(self) -> Iterator[tuple[int, int, int, bytes]]:
        """Type, flags, sequence number and the whole of each message, for as long as somebody asks."""
        while True:
            try:
                data, (port, _) = self._socket.recvfrom(_BUFFER)
            except BlockingIOError:
                raise TimeoutError(errno.ETIMEDOUT, f"no answer from the kernel within {SECONDS} s") from None
            if port == 0:  # from the kernel: any process may send to this socket
                yield from _messages(data)


def _messages(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    while len(data) >= _HEADER.size:
        length, kind, flags, number, _ = _HEADER.unpack_from(data)
        yield kind, flags, number, data[:length]
        data = data[_aligned(max(length, _HEADER.size)) :]


def _refusal(message: bytes) -> Refused | None:
    """What an error or end-of-dump message says; None for success."""
    if len(message) < _HEADER.size + _ERROR_BODY.size:
        return None
    (code,) = _ERROR_BODY.unpack_from(message, _HEADER.size)
    if code >= 0:
        return None
    return Refused(-code, _kernel_words(message) or os.strerror(-code))


def _kernel_words(message: bytes) -> str:
    """The text of an extended acknowledgement, "" without one (netlink.h, NLMSGERR_ATTR_MSG)."""
    _, kind, flags, _, _ = _HEADER.unpack_from(message)
    if not flags & _F_ACK_TLVS:
        return ""
    offset = _HEADER.size + _ERROR_BODY.size
    if kind == _ERROR:  # the header of the question stands between, and the whole question where it is not capped
        quoted = _HEADER.size if flags & _F_CAPPED else _HEADER.unpack_from(message, offset)[0]
        offset += _aligned(quoted)
    while offset + _ATTRIBUTE.size <= len(message):
        length, attribute = _ATTRIBUTE.unpack_from(message, offset)
        if attribute == _ERROR_ATTRIBUTE_TEXT:
            text = message[offset + _ATTRIBUTE.size : offset + length]
            return text.rstrip(b"\0").decode(errors="replace")
        offset += _aligned(max(length, _ATTRIBUTE.size))
    return ""


def _aligned(length: int) -> int:
    return (length + 3) & ~3


def _padded(packet: bytes) -> bytes:
    return packet.ljust(_aligned(len(packet)), b"\0")
