"""SIP messages as the `sip` check needs them (RFC 3261): an OPTIONS request out, a response in. Pure and bounded."""

from __future__ import annotations

import re
from dataclasses import dataclass

from checkers.base import show

HEAD_AT_MOST = 16384
BODY_AT_MOST = 65536

FIELDS_AT_MOST = 200
"""Lines of a header; a response to OPTIONS has some twenty."""

_SHOWN = 400  # bytes of a reason: all that is ever shown of it
_STATUS_LINE = re.compile(rb"SIP/2\.0 ([1-6][0-9][0-9]) ([^\r\n]*)", re.IGNORECASE)
_FOLD = re.compile(rb"\r\n[ \t]+")  # section 7.3.1: a value may go on in the next line
_BRANCH = re.compile(r";\s*branch\s*=\s*([^\s;,]+)", re.IGNORECASE)
_COMPACT = {"v": "via", "i": "call-id", "l": "content-length"}  # section 7.3.3


class NotAResponseError(ValueError):
    """Not a SIP response, or none to this request; the text says why."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """What a response is known by (section 17.1.3), the same in the request and in every response to it."""

    branch: str
    call_id: str
    tag: str

    @classmethod
    def of(cls, secret: str) -> Transaction:
        """`secret` is a text that nobody can guess; the branch begins as section 8.1.1.7 demands."""
        return cls(f"z9hG4bK{secret[:16]}", secret[16:32], secret[32:])


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    reason: str

    def __str__(self) -> str:
        return show(f"{self.status} {self.reason}")


def options_request(transaction: Transaction, *, uri: str, transport: str, local: str) -> bytes:
    """OPTIONS for `uri` (section 11); `local` is address and port of this end, `transport` is UDP, TCP or TLS.

    `rport` has the response sent to where the request came from (RFC 3581).
    """
    lines = (
        f"OPTIONS {uri} SIP/2.0",
        f"Via: SIP/2.0/{transport} {local};rport;branch={transaction.branch}",
        "Max-Forwards: 70",
        f"From: <sip:healthd@{local}>;tag={transaction.tag}",
        f"To: <{uri}>",
        f"Call-ID: {transaction.call_id}",
        "CSeq: 1 OPTIONS",
        "Accept: application/sdp",
        "User-Agent: healthd",
        "Content-Length: 0",
    )
    return "\r\n".join((*lines, "", "")).encode()


def take(received: bytes, transaction: Transaction) -> tuple[Response, bytes] | None:
    """From a stream, the first response and what comes after its body; None while it is not whole.

    Raises:
        NotAResponseError: it can become none, or a longer one than is read.

    """
    received = received.lstrip(b"\r\n")  # section 7.5; some send them to keep a connection alive
    if received and not received[:4].upper() == b"SIP/"[: len(received[:4])]:
        raise NotAResponseError(f"expected a SIP response, received {show(received)}")
    end = received.find(b"\r\n\r\n", 0, HEAD_AT_MOST)
    if end < 0:
        if len(received) >= HEAD_AT_MOST:
            raise NotAResponseError(f"a header of more than {HEAD_AT_MOST} bytes, {show(received)}")
        return None
    head, after = received[:end], received[end + 4 :]
    response = read(head, transaction)
    length = _length(_fields(head).get("content-length"))
    return None if len(after) < length else (response, after[length:])


def read(message: bytes, transaction: Transaction) -> Response:
    """What a message, with or without its body, says to the request.

    Raises:
        NotAResponseError: it is broken, longer than is read, or says nothing to that request.

    """
    head = message.lstrip(b"\r\n").partition(b"\r\n\r\n")[0]
    if len(head) > HEAD_AT_MOST:
        raise NotAResponseError(f"a header of more than {HEAD_AT_MOST} bytes, {show(message)}")
    match = _STATUS_LINE.match(head)
    if match is None:
        raise NotAResponseError(f"expected a SIP response, received {show(message)}")
    fields = _fields(head)
    branch = _BRANCH.search(fields.get("via", "").partition(",")[0])
    if branch is None or branch[1] != transaction.branch:
        raise NotAResponseError("the branch of its first Via is not that of the request")
    if fields.get("call-id", "") != transaction.call_id:
        raise NotAResponseError("its Call-ID is not that of the request")
    if fields.get("cseq", "").split() != ["1", "OPTIONS"]:
        raise NotAResponseError(f"its CSeq is {show(fields.get('cseq', ''))}, not that of the request")
    return Response(int(match[1]), match[2][:_SHOWN].decode("utf-8", "backslashreplace").strip())


def _fields(head: bytes) -> dict[str, str]:
    """The first value of each header field, by its long name in small letters."""
    fields: dict[str, str] = {}
    # What is no UTF-8 is in none of the fields that are looked at, and showing it byte by byte takes its time.
    lines = _FOLD.sub(b" ", head).decode("utf-8", "replace").split("\r\n", FIELDS_AT_MOST + 1)[1:]
    if len(lines) > FIELDS_AT_MOST:
        raise NotAResponseError(f"a header of more than {FIELDS_AT_MOST} lines")
    for line in lines:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        fields.setdefault(_COMPACT.get(name, name), value.strip())
    return fields


def _length(text: str | None) -> int:
    if text is None:
        return 0
    if not re.fullmatch(r"[0-9]{1,6}", text, re.ASCII) or int(text) > BODY_AT_MOST:
        raise NotAResponseError(f"a Content-Length of {show(text)}; up to {BODY_AT_MOST} bytes are read")
    return int(text)
