"""Questions to the kernel and its answers, over one generic netlink socket. Knows nothing of IPVS.

The kernel answers while it takes the question: when `sendto` returns, the answer (the first part of it, for a dump)
is in the socket's buffer. So this can be called from inside an event loop, and it brings no loop of its own.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Generator, Iterator, Sequence
from itertools import count
from typing import NamedTuple

SECONDS = 5
"""How long the kernel may take. It takes microseconds; adding a service that needs a module loaded, less than one."""

_BATCH = 64
"""Orders per send. Should all be refused, the refusals must fit into the socket's receive buffer (212,992 bytes, of
which each takes 1 to 2 KiB) at one time."""

_BUFFER = 65536
"""The kernel makes the parts of a listing as long as it has seen a reader to take, up to 32 KiB."""

LOST = errno.ENOBUFS
"""The errno of the OSError for answers that did not fit into the buffer: what became of the orders is not known."""

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
    """What was listed changed meanwhile: the listing is neither what was nor what is."""


class Message(NamedTuple):
    kind: int
    flags: int
    sequence: int
    data: bytes
    """The whole of it, with its header."""


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
        for message in self._messages():
            if message.sequence == sequence:
                if message.kind == _ERROR:
                    raise _refusal(message) or Refused(errno.ENODATA, "an acknowledgement in place of an answer")
                return message.data
        raise Refused(errno.ENODATA, "no answer")

    def tell(self, kind: int, bodies: Sequence[bytes]) -> list[Refused | None]:
        """Has the kernel do each of them in order; what it said to each: None when done."""
        answers: list[Refused | None] = []
        for start in range(0, len(bodies), _BATCH):
            answers += self._tell_batch(kind, bodies[start : start + _BATCH])
        return answers

    def dump(self, kind: int, body: bytes) -> Generator[list[bytes]]:
        """A listing, in parts as the kernel makes them, of some ten thousand bytes. Raises Refused.

        Until it has come to its end, or is closed, the socket is of no use for anything else.

        Raises:
            Interrupted: at the end, and all parts are to be forgotten.

        """
        sequence = self._send([(kind, _F_REQUEST | _F_DUMP, body)])[0]
        over = interrupted = False
        while not over:
            part, over = self._part(sequence)
            interrupted |= any(message.flags & _F_DUMP_INTR for message in part)
            if over and (refusal := _refusal(part.pop())):
                raise refusal
            if not part:
                continue
            try:
                yield [message.data for message in part]
            except GeneratorExit:
                while not over:  # the kernel begins no other listing before this one has been read
                    _, over = self._part(sequence)
                raise
        if interrupted:
            raise Interrupted

    def _part(self, sequence: int) -> tuple[list[Message], bool]:
        """Messages of a listing, and whether the last of them is its end."""
        part = [message for message in self._datagram() if message.sequence == sequence]
        return part, bool(part) and part[-1].kind in (_ERROR, _DONE)

    def _tell_batch(self, kind: int, bodies: Sequence[bytes]) -> list[Refused | None]:
        """Only the last one asks for an acknowledgement, which comes last: by then refusals of the others are there."""
        *first, last = bodies
        numbers = self._send([*((kind, _F_REQUEST, body) for body in first), (kind, _F_REQUEST | _F_ACK, last)])
        answers: dict[int, Refused | None] = dict.fromkeys(numbers)
        for message in self._messages():
            if message.kind == _ERROR and message.sequence in answers:
                answers[message.sequence] = _refusal(message)
                if message.sequence == numbers[-1]:
                    break
        return list(answers.values())

    def _send(self, batch: Sequence[tuple[int, int, bytes]]) -> list[int]:
        """Sends the questions in one go; their sequence numbers."""
        numbers = [next(self._sequence) & 0xFFFFFFFF for _ in batch]
        packets = [
            _padded(_HEADER.pack(_HEADER.size + len(body), kind, flags, number, 0) + body)
            for number, (kind, flags, body) in zip(numbers, batch, strict=True)
        ]
        self._socket.sendto(b"".join(packets), (0, 0))
        return numbers

    def _messages(self) -> Iterator[Message]:
        while True:
            yield from self._datagram()

    def _datagram(self) -> Iterator[Message]:
        """The messages that came together."""
        while True:
            try:
                data, (port, _) = self._socket.recvfrom(_BUFFER)
            except BlockingIOError:
                raise TimeoutError(errno.ETIMEDOUT, f"no answer from the kernel within {SECONDS} s") from None
            if port == 0:  # from the kernel: any process may send to this socket
                return _split(data)


def _split(data: bytes) -> Iterator[Message]:
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, flags, number, _ = _HEADER.unpack_from(data, at)
        yield Message(kind, flags, number, data[at : at + length])
        at += _aligned(max(length, _HEADER.size))


def _refusal(message: Message) -> Refused | None:
    """What an error or end-of-dump message says; None for success."""
    if len(message.data) < _HEADER.size + _ERROR_BODY.size:
        return None
    (code,) = _ERROR_BODY.unpack_from(message.data, _HEADER.size)
    if code >= 0:
        return None
    return Refused(-code, _kernel_words(message) or os.strerror(-code))


def _kernel_words(message: Message) -> str:
    """The text of an extended acknowledgement, "" without one (netlink.h, NLMSGERR_ATTR_MSG)."""
    if not message.flags & _F_ACK_TLVS:
        return ""
    data, offset = message.data, _HEADER.size + _ERROR_BODY.size
    if message.kind == _ERROR:  # the header of the question stands between; all of it where it is not capped
        quoted = _HEADER.size if message.flags & _F_CAPPED else _HEADER.unpack_from(data, offset)[0]
        offset += _aligned(quoted)
    while offset + _ATTRIBUTE.size <= len(data):
        length, attribute = _ATTRIBUTE.unpack_from(data, offset)
        if attribute == _ERROR_ATTRIBUTE_TEXT:
            return data[offset + _ATTRIBUTE.size : offset + length].rstrip(b"\0").decode(errors="replace")
        offset += _aligned(max(length, _ATTRIBUTE.size))
    return ""


def _aligned(length: int) -> int:
    return (length + 3) & ~3


def _padded(packet: bytes) -> bytes:
    return packet.ljust(_aligned(len(packet)), b"\0")
