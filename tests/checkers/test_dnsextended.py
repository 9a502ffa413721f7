"""EDNS and TSIG against dnspython's own messages, and against answers that are not to be believed."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import dns.tsig
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkers import today
from checkers.base import Code, OptionError, Status
from checkers.dns import Dns
from checkers.dnsextended import Edns, ExtendedQuestion
from checkers.dnsreply import NotAnAnswer, Reply
from checkers.dnssigning import Signer
from tests.checkers.asking import ask
from tests.checkers.datagrams import udp_server

SECRET = base64.b64encode(b"0123456789abcdef")
KEY = dns.tsig.Key("probe.", base64.b64decode(SECRET), dns.tsig.HMAC_SHA256)
STRANGER = dns.tsig.Key("stranger.", b"x" * 16, dns.tsig.HMAC_SHA256)
FORGER = dns.tsig.Key("probe.", b"y" * 16, dns.tsig.HMAC_SHA256)
ADDRESS = dns.rrset.from_text("www.example.test.", 60, "IN", "A", "192.0.2.1")


def question(*, edns: Edns | None = None, signed: bool = True) -> ExtendedQuestion:
    return ExtendedQuestion(
        edns=edns,
        signer=Signer("probe", "hmac-sha256", SECRET) if signed else None,
        name="www.example.test",
        record="A",
        rcode="NOERROR",
        expect=None,
        recursion_desired=True,
    )


def parsed(query: bytes) -> dns.message.Message:
    """The query as dnspython reads it, its signature verified."""
    return dns.message.from_wire(query, keyring=KEY)


def answered(query: bytes, key: dns.tsig.Key | None = KEY, edit: Callable[[Any], object] = lambda _: None) -> bytes:
    """An answer by dnspython, signed with `key`."""
    asked = parsed(query)
    response = dns.message.make_response(asked)
    response.answer.append(ADDRESS)
    response.tsig = None
    edit(response)
    if key is not None:
        response.use_tsig(key)
        response.request_mac = asked.mac or b""
    return response.to_wire()


def test_what_is_sent_is_what_dnspython_understands() -> None:
    """A question with an EDNS record and a signature that another implementation verifies."""
    query = question(edns=Edns(1400, dnssec_ok=True, nsid=True)).wire(b"\x12\x34")
    message = parsed(query)
    assert (message.id, message.payload, message.ednsflags) == (0x1234, 1400, dns.flags.DO)
    assert [option.otype for option in message.options] == [dns.edns.OptionType.NSID]
    assert message.had_tsig
    assert str(message.question[0]) == "www.example.test. IN A"


def test_a_signed_answer_is_read() -> None:
    """And said to be one."""
    asked = question()
    query = asked.wire(b"\0\1")
    assert asked.read(answered(query), query) == Reply(
        rcode="NOERROR", truncated=False, records=("192.0.2.1",), matched=None, beside=", signed"
    )


def test_edns_is_told() -> None:
    """The server's name; an answer without EDNS; a code that needs it."""

    def named(response: dns.message.Message) -> None:
        response.use_edns(0, options=[dns.edns.NSIDOption(b"one\n")])

    def bad_version(response: dns.message.Message) -> None:
        response.use_edns(0)
        response.set_rcode(dns.rcode.BADVERS)

    asked = question(edns=Edns(1232, dnssec_ok=False, nsid=True), signed=False)
    query = asked.wire(b"\0\1")
    for edit, rcode, beside in (
        (named, "NOERROR", r', NSID "one\n"'),
        (bad_version, "BADVERS", ""),
        (lambda response: response.use_edns(-1), "NOERROR", ", without EDNS"),
    ):
        reply = asked.read(answered(query, None, edit), query)
        assert (reply.rcode, reply.beside) == (rcode, beside)


def changed(query: bytes) -> bytes:
    """One byte of the address is another than what was signed."""
    return answered(query).replace(bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]))


def signed_twice(query: bytes) -> bytes:
    """The signature is not the last record."""
    message = answered(query)
    signature = message[message.rindex(b"\x05probe\x00\x00\xfa") :]
    return message[:10] + b"\0\2" + message[12:] + signature


def with_error(query: bytes) -> bytes:
    """A good answer that is signed by nobody, as it were because of an error."""
    message = answered(query, FORGER)
    other_length = message[-2:]
    assert other_length == b"\0\0"
    return message[:-4] + b"\0\x12" + other_length


UNBELIEVABLE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "not signed": (lambda query: answered(query, None), "it is not signed (NOERROR)"),
    "another key": (lambda query: answered(query, STRANGER), "it is signed with another key"),
    "another secret": (lambda query: answered(query, FORGER), "its signature is wrong"),
    "changed": (changed, "its signature is wrong"),
    "signed twice": (signed_twice, "a malformed message (FormError)"),
    "an error beside an answer": (with_error, "an error of TSIG (18) that is no refusal"),
    "cut short": (lambda query: answered(query)[:-1], "a malformed message (FormError)"),
    "the query": (lambda query: query, "not a reply to a query"),
}


@pytest.mark.parametrize(("forged", "reason"), UNBELIEVABLE.values(), ids=UNBELIEVABLE.keys())
async def test_what_is_not_signed_by_the_key_is_no_answer(
    forged: Callable[[bytes], bytes], reason: str, tmp_path: Path
) -> None:
    """Anyone can send a datagram: it decides nothing, and the answer that is signed counts."""
    (tmp_path / "key").write_bytes(SECRET)
    checker = Dns(name="www.example.test", record="A", tsig_key="probe", tsig_secret_file=str(tmp_path / "key"))
    async with udp_server(lambda query: [forged(query)]) as (target, _):
        outcome = await ask(checker, target, 0.2)
        assert (outcome.status, outcome.code) == (Status.FAIL, Code.L7TOUT)
        assert outcome.detail.endswith(f"; ignored so far: 1, the last: {reason}")
    async with udp_server(lambda query: [forged(query), answered(query)]) as (target, _):
        assert (await ask(checker, target)).detail == 'NOERROR, 1 A record, the first "192.0.2.1", signed'


def test_an_old_answer_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was signed an hour ago may have been recorded."""
    asked = question()
    query = asked.wire(b"\0\1")
    answer = answered(query)
    later = today.now() + dt.timedelta(hours=1)
    monkeypatch.setattr(today, "now", lambda: later)
    with pytest.raises(NotAnAnswer, match="it was signed too long ago or in the future"):
        asked.read(answer, query)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_nothing_but_a_refusal_escapes(data: st.DataObject) -> None:
    """Whatever is changed in a good answer, or comes in place of it, is read or is no answer."""
    asked = question(edns=Edns(1232, dnssec_ok=True, nsid=True), signed=data.draw(st.booleans()))
    query = asked.wire(b"\0\1")
    message = bytearray(answered(query) if asked._signer else answered_plainly(query))
    for _ in range(data.draw(st.integers(0, 4))):
        message[data.draw(st.integers(2, len(message) - 1))] = data.draw(st.integers(0, 255))
    garbage = data.draw(st.just(b"") | st.binary(max_size=60))
    cut = data.draw(st.integers(12, len(message)))
    with contextlib.suppress(NotAnAnswer):
        asked.read(bytes(message[:cut]) + garbage, query)


def answered_plainly(query: bytes) -> bytes:
    response = dns.message.make_response(dns.message.from_wire(query))
    response.answer.append(ADDRESS)
    response.use_edns(0, options=[dns.edns.NSIDOption(b"one")])
    return response.to_wire()


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"tls": True}, "tls", 'needs transport = "tcp", or type = "dot", which is this on port 853'),
        ({"edns_size": 511}, "edns_size", "must be from 512 to 16384 bytes, not 511"),
        ({"tsig_key": "a"}, "tsig_key", "needs tsig_secret_file, too: a key has a name and a secret"),
        ({"tsig_secret_file": "key"}, "tsig_secret_file", "needs tsig_key, too: a key has a name and a secret"),
        ({"tsig_key": "a", "tsig_secret_file": "missing"}, "tsig_secret_file", "cannot read "),
        ({"tsig_key": "a..b", "tsig_secret_file": "key"}, "tsig_key", '"a..b" is no name of a key: '),
        ({"tsig_key": "a", "tsig_secret_file": "bad"}, "tsig_secret_file", "must hold the secret in base64, as tsig-"),
        ({"serial_of": "192.0.2.1", "record": "A"}, "serial_of", 'needs record = "SOA" and rcode = "NOERROR"'),
        ({"serial_of": "192.0.2.1", "rcode": "REFUSED"}, "serial_of", 'needs record = "SOA" and rcode = "NOERROR"'),
        ({"serial_of": "ns1"}, "serial_of", "must be an address, with a port if it is another"),
        ({"max_serial_lag": 1}, "max_serial_lag", "has no effect without serial_of, the server to compare with"),
        ({"serial_of": "::1", "max_serial_lag": -1}, "max_serial_lag", "must be from 0 to 2147483647, not -1"),
    ],
)
def test_options_that_cannot_work(options: dict[str, Any], option: str, message: str, tmp_path: Path) -> None:
    """Each is refused when the configuration is read, and the message says what to write instead."""
    (tmp_path / "key").write_bytes(SECRET)
    (tmp_path / "bad").write_bytes(b"not base64!")
    if "tsig_secret_file" in options:
        options = options | {"tsig_secret_file": str(tmp_path / options["tsig_secret_file"])}
    with pytest.raises(OptionError) as caught:
        Dns(**options)
    assert caught.value.option == option
    assert str(caught.value).startswith(message)


def test_the_secret_is_not_printed(tmp_path: Path) -> None:
    """Nor does a changed one go unnoticed by a reload."""
    (tmp_path / "key").write_bytes(SECRET)
    options: dict[str, Any] = {"tsig_key": "probe", "tsig_secret_file": str(tmp_path / "key")}
    before = Dns(**options)
    assert SECRET.decode() not in repr(before)
    (tmp_path / "key").write_bytes(base64.b64encode(b"another"))
    assert Dns(**options) != before
