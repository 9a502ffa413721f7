"""DNS messages as the `dns` check needs them (RFC 1035, section 4): one question out, its answer section in. No I/O.

dnspython knows names, record types and their text. It is imported here and nowhere else, and this file only where a
`dns` check is configured, because the import takes a tenth of a second.

Replies come from servers that may be hostile: whatever is wrong with one ends in `NotAnAnswer`, and the work spent on
one is bounded by its length.
"""

from __future__ import annotations

import functools
import struct

import dns.exception
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.wire
from dns.rdtypes.txtbase import TXTBase

from checkers.base import OptionError
from checkers.dnsreply import NotAnAnswer, Reply

HEADER = struct.Struct("!HHHHHH")  # id, flags, and the number of records in the four sections

_IS_REPLY = 0x8000
_OPCODE = 0x7800
_TRUNCATED = 0x0200
_RECURSION_DESIRED = 0x0100
_RCODE = 0x000F

_REMEMBERED = 16
"""Replies of which it is kept what they come to."""

_WITHOUT_QUESTION = frozenset({dns.rcode.FORMERR, dns.rcode.SERVFAIL, dns.rcode.NOTIMP, dns.rcode.REFUSED})
"""With these a server may send back a bare header: it did not get as far as to look at the question."""


class Question:
    """One question, and what its answer has to hold, in every form that the wire and people need.

    Raises:
        OptionError: a name, type, rcode or expected record does not exist or cannot be sent.

    """

    def __init__(self, *, name: str, record: str, rcode: str, expect: str | None, recursion_desired: bool) -> None:
        self._name = _name(name)
        self._type = _type(record)
        self._expected = () if expect is None else _expected(self._type, expect)
        self.type = dns.rdatatype.to_text(self._type)
        self.rcode = dns.rcode.to_text(_rcode(rcode))
        self.text = f"{self._name.to_text(omit_final_dot=True)} {self.type}"
        flags = _RECURSION_DESIRED if recursion_desired else 0
        question = self._name.to_digestable() + struct.pack("!HH", self._type, dns.rdataclass.IN)
        self._after_id = HEADER.pack(0, flags, 1, 0, 0, 0)[2:] + question
        # Servers mostly say the very same again, and many servers the same as one another.
        self._read_again = functools.lru_cache(maxsize=_REMEMBERED)(self._read)

    def wire(self, number: bytes) -> bytes:
        """The query with the two bytes `number` as its id."""
        return number + self._after_id

    def read(self, message: bytes, query: bytes) -> Reply:
        """What `message` says to `query`, which `wire` has made.

        Raises:
            NotAnAnswer: it is broken, or says nothing to that query.

        """
        if len(message) < HEADER.size:
            raise NotAnAnswer(f"a message of {len(message)} bytes, less than a header")
        if not query.startswith(message[:2]):
            raise NotAnAnswer("the id is not that of the query")
        try:
            return self._read_again(message[2:])
        except dns.exception.DNSException as error:
            raise NotAnAnswer(f"a malformed message ({type(error).__name__})") from error

    def _read(self, after_id: bytes) -> Reply:
        parser = BoundedParser(b"\0\0" + after_id)
        _, flags, questions, answers, _, _ = parser.get_struct(HEADER.format)
        if not flags & _IS_REPLY or flags & _OPCODE:
            raise NotAnAnswer("not a reply to a query")
        rcode = dns.rcode.from_flags(flags, 0)
        if questions == 1:
            asked = (dns.name.from_wire_parser(parser), *parser.get_struct("!HH"))
            if asked != (self._name, self._type, dns.rdataclass.IN):
                raise NotAnAnswer("the question in it is not the one asked")
        elif questions or rcode not in _WITHOUT_QUESTION:
            raise NotAnAnswer(f"{questions} questions in it, not the one asked")
        truncated = bool(flags & _TRUNCATED)
        # A truncated answer may end anywhere; what is in it does not count.
        found = [] if truncated else [r for _ in range(answers) if (r := self._read_record(parser)) is not None]
        return Reply(
            dns.rcode.to_text(rcode),
            truncated,
            tuple(record.to_text() for record in found),
            next((record.to_text() for record in found if _value(record) in self._expected), None),
        )

    def _read_record(self, parser: dns.wire.Parser) -> dns.rdata.Rdata | None:
        """The next record of a section, or None for one of a type that was not asked for (a CNAME on the way)."""
        dns.name.from_wire_parser(parser)
        kind, network, _ttl, length = parser.get_struct("!HHIH")
        rdtype = dns.rdatatype.RdataType.make(kind)
        if network != dns.rdataclass.IN or self._type not in (rdtype, dns.rdatatype.ANY):
            parser.get_bytes(length)
            return None
        with parser.restrict_to(length):
            return dns.rdata.from_wire_parser(dns.rdataclass.IN, rdtype, parser)


def with_record(after_id: bytes, record: bytes) -> bytes:
    """A message without its id, with one more record at its end."""
    head = list(HEADER.unpack_from(b"\0\0" + after_id))
    head[-1] += 1
    return HEADER.pack(*head)[2:] + after_id[HEADER.size - 2 :] + record


class TooManyNames(dns.exception.FormError):
    """Reading a message took more steps than its length accounts for."""


class BoundedParser(dns.wire.Parser):
    """Gives up on a message that takes more steps to read than its length accounts for.

    Compression pointers let a few thousand records each name the same few thousand labels, which would keep the
    whole process busy for many seconds. An honest message, byte by byte and with its names looked up, stays far below.
    """

    def __init__(self, wire: bytes) -> None:
        super().__init__(wire)
        self._reads_left = 1000 + 2 * len(wire)

    def get_bytes(self, size: int) -> bytes:
        self._reads_left -= 1
        if self._reads_left < 0:
            raise TooManyNames
        return super().get_bytes(size)


def _name(text: str) -> dns.name.Name:
    try:
        return dns.name.from_text(text, origin=dns.name.root)
    except dns.exception.DNSException as error:
        raise OptionError("name", f'"{text}" is not a domain name: {error}') from error


def _type(text: str) -> dns.rdatatype.RdataType:
    try:
        found = dns.rdatatype.from_text(text)
    except (dns.exception.DNSException, ValueError) as error:
        message = (
            f'"{text}" is not a record type; expected one such as SOA, A, AAAA, MX, NS, TXT, SRV, ANY or TYPE65280'
        )
        raise OptionError("record", message) from error
    if dns.rdatatype.is_metatype(found) and found != dns.rdatatype.ANY:
        raise OptionError("record", f"{text} is not a record that can be asked for; expected one such as SOA, A or ANY")
    return found


def _rcode(text: str) -> dns.rcode.Rcode:
    known = [dns.rcode.to_text(dns.rcode.Rcode.make(number)) for number in range(_RCODE + 1)]
    named = [name for name in known if not name.isdigit()]
    if text.upper() not in named:
        raise OptionError("rcode", f'"{text}" is not an answer\'s code; expected one of {", ".join(named)}')
    return dns.rcode.from_text(text)


def _expected(rdtype: dns.rdatatype.RdataType, text: str) -> tuple[dns.rdata.Rdata | bytes, ...]:
    """The values that `text` may stand for: a TXT record may also be given bare, without its quotes."""
    if rdtype == dns.rdatatype.ANY:
        raise OptionError("expect", "needs one record type to compare with; with ANY, use expect_regex")
    try:
        record = dns.rdata.from_text(dns.rdataclass.IN, rdtype, text, origin=dns.name.root, relativize=False)
    except (dns.exception.DNSException, ValueError) as error:
        kind = dns.rdatatype.to_text(rdtype)
        raise OptionError("expect", f'"{text}" is not the text of one {kind} record: {error}') from error
    value = _value(record)
    return (value, text.encode()) if isinstance(value, bytes) else (value,)


def _value(record: dns.rdata.Rdata) -> dns.rdata.Rdata | bytes:
    """What is compared: records as data, so neither the case of names nor spelling matters; TXT as one piece."""
    return b"".join(record.strings) if isinstance(record, TXTBase) else record
