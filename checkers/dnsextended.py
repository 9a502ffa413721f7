"""What a DNS question may carry: EDNS (RFC 6891) with NSID (RFC 5001), and a signature. No I/O.

Beside dnswire.py, and by its rules: a question without any of this never comes here.
"""

from __future__ import annotations

import dataclasses
import struct
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.name
import dns.rcode
import dns.rdatatype
from dns.rdtypes.ANY.TSIG import TSIG

from checkers.base import show
from checkers.dnsreply import NotAnAnswer, Reply
from checkers.dnssigning import Signer, tsig_from
from checkers.dnswire import HEADER, BoundedParser, Question, with_record

_DNSSEC_OK = 0x8000
_NSID = 3  # its option code


@dataclass(frozen=True, slots=True)
class Edns:
    """What is said of oneself: `size` is how long a datagram may be, in bytes."""

    size: int
    dnssec_ok: bool
    nsid: bool

    def wire(self) -> bytes:
        options = struct.pack("!HH", _NSID, 0) if self.nsid else b""
        flags = _DNSSEC_OK if self.dnssec_ok else 0
        return b"\0" + struct.pack("!HHIH", dns.rdatatype.OPT, self.size, flags, len(options)) + options


class ExtendedQuestion(Question):
    """Likewise with EDNS or a signature, or both. Without an EDNS record in the answer the reply says so."""

    def __init__(self, *, edns: Edns | None, signer: Signer | None, **question: Any) -> None:
        super().__init__(**question)
        self._edns = edns
        self._signer = signer
        if edns is not None:
            self._after_id = with_record(self._after_id, edns.wire())

    def wire(self, number: bytes) -> bytes:
        plain = super().wire(number)
        return plain if self._signer is None else self._signer.signed(plain)

    def read(self, message: bytes, query: bytes) -> Reply:
        reply = super().read(message, query)
        if reply.truncated and self._signer is None:
            return reply
        try:
            found = _scan(message)
            rcode = dns.rcode.from_flags(int.from_bytes(message[2:4], "big"), found.flags)
            beside = "" if self._signer is None else self._verified(self._signer, message, query, found, rcode)
        except dns.exception.DNSException as error:
            raise NotAnAnswer(f"a malformed message ({type(error).__name__})") from error
        if self._edns is not None:
            beside += _told(found)
        return dataclasses.replace(reply, rcode=dns.rcode.to_text(rcode), beside=beside)

    def _verified(self, signer: Signer, message: bytes, query: bytes, found: _Found, rcode: dns.rcode.Rcode) -> str:
        """What there is to say of the signature of an answer.

        Raises:
            NotAnAnswer: there is none, or it is somebody else's.
            DNSException: it is malformed.

        """
        asked = _scan(query).signature
        if asked is None or found.signature is None or found.owner is None:
            raise NotAnAnswer(f"it is not signed ({dns.rcode.to_text(rcode)})")
        if refusal := signer.refusal(found.signature, rcode):
            return f", TSIG {refusal}"
        signer.verify(message, asked, found.owner, found.signature, found.start)
        return ", signed"


@dataclass(slots=True)
class _Found:
    """What stands behind the answers of a message; `start` is where its signature begins."""

    flags: int = 0  # the extended ones
    has_edns: bool = False
    nsid: bytes | None = None
    owner: dns.name.Name | None = None
    signature: TSIG | None = None
    start: int = 0


def _scan(message: bytes) -> _Found:
    """What is to be found in the records of a message; DNSException if it is malformed."""
    parser = BoundedParser(message)
    _, _, questions, *counts = parser.get_struct(HEADER.format)
    for _ in range(questions):
        dns.name.from_wire_parser(parser)
        parser.get_struct("!HH")
    found = _Found()
    for _ in range(sum(counts)):
        if found.signature is not None:
            raise dns.exception.FormError  # a signature is the last record
        found.start = parser.current
        owner = dns.name.from_wire_parser(parser)
        kind, _network, lifetime, length = parser.get_struct("!HHIH")
        with parser.restrict_to(length):
            if kind == dns.rdatatype.OPT:
                found.has_edns, found.flags = True, lifetime
                found.nsid = _nsid_in(parser)
            elif kind == dns.rdatatype.TSIG:
                found.owner, found.signature = owner, tsig_from(parser)
            else:
                parser.get_remaining()
    return found


def _nsid_in(parser: BoundedParser) -> bytes | None:
    nsid = None
    while parser.remaining() > 0:
        code, length = parser.get_struct("!HH")
        data = parser.get_bytes(length)
        if code == _NSID:
            nsid = data
    return nsid


def _told(found: _Found) -> str:
    if not found.has_edns:
        return ", without EDNS"
    return "" if found.nsid is None else f", NSID {show(found.nsid)}"
