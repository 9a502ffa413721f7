from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from checkers.base import Code, Failed, OptionError, Outcome, Phase, Target, Trace, passed, show
from checkers.dnsask import ANSWER_AT_MOST, over_tcp, over_udp
from checkers.dnscompared import Serial
from checkers.dnsreply import Reply
from checkers.dnsserial import serial_of, server_at
from checkers.passwords import read_password
from checkers.pattern import Pattern, PatternError
from checkers.tls import TlsChecker

if TYPE_CHECKING:
    from checkers.dnswire import Question

_USUAL_SIZE = 1232  # what the servers' authors agreed on in 2020: it passes everywhere in one piece
_LONGEST_TEXT = 4 * ANSWER_AT_MOST  # of a record, each of whose bytes may be written as four
_MOST_OTHERS = 16
_LARGEST_SERIAL = (1 << 31) - 1


@dataclass(frozen=True, kw_only=True)
class Dns(TlsChecker):
    """Passes when a DNS server answers a query with `rcode` and, where that is NOERROR, a record of the asked type.

    `expect` is the text of a record that must be in the answer; `expect_regex` is searched for in the text of each.
    Over UDP a truncated answer is asked for again over TCP. `edns_size`, `dnssec_ok` and `nsid` are told by EDNS.
    With `tsig_key` the query is signed, and only an answer that is signed by the same key is one.

    `serial_of` is another server of the zone, or an array of such: the serial here may be `max_serial_lag` behind the
    ones there. A server that stands among them is not compared with itself.
    """

    default_port: ClassVar[int] = 53
    lean: ClassVar[bool] = True
    shared: ClassVar[bool] = True

    name: str = "."
    record: str = "SOA"
    transport: Literal["udp", "tcp"] = "udp"
    rcode: str = "NOERROR"
    expect: str | None = None
    expect_regex: str | None = None
    recursion_desired: bool = True
    edns_size: int | None = None
    dnssec_ok: bool = False
    nsid: bool = False
    tsig_key: str | None = None
    tsig_algorithm: Literal["hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"] = (
        "hmac-sha256"
    )
    tsig_secret_file: str | None = None
    serial_of: str | tuple[str, ...] = ()
    max_serial_lag: int = 0

    _secret: bytes = field(init=False, repr=False, default=b"")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tls and self.transport != "tcp":
            raise OptionError("tls", 'needs transport = "tcp", or type = "dot", which is this on port 853')
        if self.edns_size is not None and not 512 <= self.edns_size <= ANSWER_AT_MOST:
            raise OptionError("edns_size", f"must be from 512 to {ANSWER_AT_MOST} bytes, not {self.edns_size}")
        if (self.tsig_key is None) != (self.tsig_secret_file is None):
            missing, given = ("tsig_key", "tsig_secret_file")[:: 1 if self.tsig_key is None else -1]
            raise OptionError(given, f"needs {missing}, too: a key has a name and a secret")
        if self.tsig_secret_file is not None:
            object.__setattr__(self, "_secret", read_password("tsig_secret_file", self.tsig_secret_file))
        question = self._question
        self._regex  # noqa: B018 - an expression that is none is refused here
        for option in ("expect", "expect_regex"):
            if getattr(self, option) is not None and question.rcode != "NOERROR":
                raise OptionError(option, f'can never be met with rcode = "{question.rcode}": leave one of them out')
        self._check_serial(question)

    def _check_serial(self, question: Question) -> None:
        if self.serial_of and (question.type != "SOA" or question.rcode != "NOERROR"):
            raise OptionError("serial_of", 'needs record = "SOA" and rcode = "NOERROR": that record has the serial')
        if not self.serial_of and self.max_serial_lag:
            raise OptionError("max_serial_lag", "has no effect without serial_of, the server to compare with")
        if not 0 <= self.max_serial_lag <= _LARGEST_SERIAL:
            raise OptionError("max_serial_lag", f"must be from 0 to {_LARGEST_SERIAL}, not {self.max_serial_lag}")
        # Several are asked at once, by a task each.
        object.__setattr__(self, "lean", len(self._others) <= 1)

    @functools.cached_property
    def _question(self) -> Question:
        from checkers.dnswire import Question  # noqa: PLC0415 - costs 0.1 s that only users of this kind should pay

        asked: dict[str, Any] = {
            option: getattr(self, option) for option in ("name", "record", "rcode", "expect", "recursion_desired")
        }
        wants_edns = self.edns_size is not None or self.dnssec_ok or self.nsid
        if not wants_edns and self.tsig_key is None:
            return Question(**asked)
        from checkers.dnsextended import Edns, ExtendedQuestion  # noqa: PLC0415 - likewise
        from checkers.dnssigning import Signer  # noqa: PLC0415 - likewise

        edns = Edns(self.edns_size or _USUAL_SIZE, self.dnssec_ok, self.nsid) if wants_edns else None
        signer = None if self.tsig_key is None else Signer(self.tsig_key, self.tsig_algorithm, self._secret)
        return ExtendedQuestion(edns=edns, signer=signer, **asked)

    @functools.cached_property
    def _regex(self) -> Pattern | None:
        try:
            return None if self.expect_regex is None else Pattern(self.expect_regex).within(_LONGEST_TEXT)
        except PatternError as error:
            raise OptionError("expect_regex", f'"{self.expect_regex}" {error}') from error

    @functools.cached_property
    def _others(self) -> tuple[tuple[str, int], ...]:
        texts = (self.serial_of,) if isinstance(self.serial_of, str) else self.serial_of
        if len(texts) > _MOST_OTHERS:
            raise OptionError("serial_of", f"must be at most {_MOST_OTHERS} servers, not {len(texts)}")
        return tuple(server_at("serial_of", text, self.default_port) for text in texts)

    @property
    def questions(self) -> int:
        return max(len(self._others), 1)

    async def check(self, target: Target) -> Outcome:
        if self.transport == "udp":
            reply = await over_udp(self._question, target)
            how = ""
            if reply.truncated:
                reply = await over_tcp(self._question, target, self)
                how = ", over TCP because truncated over UDP"
        else:
            reply, how = await over_tcp(self._question, target, self), ""
        outcome = self._judged(reply, how)
        return await self._compared(target, reply, outcome) if self.serial_of else outcome

    def _judged(self, reply: Reply, how: str) -> Outcome:
        asked = self._question
        how = reply.beside + how
        if reply.rcode != asked.rcode:
            raise Failed(Code.L7STS, f"{asked.text}: answered {reply.rcode}, expected {asked.rcode}{how}")
        if asked.rcode != "NOERROR":
            return passed(Code.L7OK, f"{reply.rcode}{how}")
        if not reply.records:
            raise Failed(Code.L7RSP, f"{asked.text}: no such record in the answer ({reply.rcode}{how})")
        first, count = reply.records[0], len(reply.records)
        found = f"{count} {asked.type} record{'s' if count > 1 else ''}, the first {show(first)}{how}"
        if self.expect is not None and reply.matched is None:
            raise Failed(Code.L7RSP, f"{asked.text}: none is {show(self.expect)}: {found}")
        if self._regex is not None and not any(map(self._regex.search, reply.records)):
            raise Failed(Code.L7RSP, f"{asked.text}: none matches {show(self._regex.pattern)}: {found}")
        return passed(Code.L7OK, f"{reply.rcode}, {found}")

    async def _compared(self, target: Target, reply: Reply, outcome: Outcome) -> Outcome:
        """The outcome of a server that answers well, with its serial beside those of the other servers."""
        others = [
            dataclasses.replace(target, address=address, port=port, trace=Trace())
            for address, port in self._others
            if (address, port) != (target.address, target.port)
        ]
        if not others:
            return outcome
        serial = Serial(serial_of(reply.records[0]), self.max_serial_lag, outcome.detail)
        told = f"{outcome.detail}; serial {serial.number}"
        asked = ", ".join(other.where for other in others)
        target.trace.enter(Phase.ANSWERED, f"{told}, asking {asked} for {'its' if len(others) == 1 else 'their'} own")
        return passed(Code.L7OK, f"{told}, {await serial.beside(others, self._ask_other)}")

    async def _ask_other(self, other: Target) -> Reply:
        """An answer with a serial; what is expected of this server alone is not expected of the other."""
        udp = self.transport == "udp"
        reply = await over_udp(self._question, other) if udp else await over_tcp(self._question, other, self)
        if reply.rcode != "NOERROR" or not reply.records:
            raise Failed(Code.L7STS, f"answered {reply.rcode}, {len(reply.records)} SOA records{reply.beside}")
        return reply


@dataclass(frozen=True, kw_only=True)
class Dot(Dns):
    """`dns` over TLS."""

    default_port: ClassVar[int] = 853

    tls: bool = True
    transport: Literal["udp", "tcp"] = "tcp"

    def __post_init__(self) -> None:
        if not self.tls:
            raise OptionError("tls", 'cannot be false here: type = "dns" is the one without TLS')
        if self.transport != "tcp":
            raise OptionError("transport", 'can be "tcp" only here: TLS is spoken over TCP')
        super().__post_init__()
