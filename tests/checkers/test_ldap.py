"""LDAP: options, and hostile servers. Well-behaved ones are in tests/real."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from checkers import ldap_wire
from checkers.base import Code, OptionError, Outcome, Status
from checkers.ldap import Ldap, Ldaps
from tests.checkers.asking import ENOUGH, ask
from tests.checkers.certificates import Pki
from tests.checkers.servers import Handler, TcpServer
from tests.checkers.speaking import at, saying
from tests.checkers.test_ldap_wire import DONE, attribute, element, entry, response

BOUND = response(1, 0x61, DONE)
FOUND = response(2, 0x64, element(4, b"cn=x") + element(0x30, b""))
ONE_LINE = "/proc/sys/kernel/ostype"


def complaint(kind: type[Ldap] = Ldap, **options: Any) -> tuple[str, str]:
    with pytest.raises(OptionError) as error:
        kind(**options)
    return error.value.option, str(error.value)


@pytest.mark.parametrize(
    ("options", "option", "said"),
    [
        (
            {"tls": True, "starttls": True},
            "starttls",
            "cannot stand beside tls = true: TLS is spoken from the beginning then",
        ),
        ({"bind_dn": ""}, "bind_dn", "must not be empty: leave it out for an anonymous bind"),
        ({"password_file": ONE_LINE}, "password_file", "needs bind_dn, whose password this is"),
        ({"bind_dn": "cn=x"}, "bind_dn", "needs password_file: servers take a bind without a password for anonymous"),
        ({"expect": "x"}, "expect", 'needs base, the entry that is looked at; that of the server itself is ""'),
        ({"attribute": "x"}, "attribute", 'needs base, the entry that is looked at; that of the server itself is ""'),
        (
            {"base": "", "attribute": "a, b"},
            "attribute",
            'must be the name of one attribute such as "mail", not "a, b"',
        ),
        ({"ca_file": "/x"}, "ca_file", "has no effect without tls = true or starttls = true"),
    ],
)
def test_options_that_cannot_work(options: dict[str, Any], option: str, said: str) -> None:
    """They are refused by name."""
    assert complaint(**options) == (option, said)


def test_ldaps_is_tls() -> None:
    """The kind says so."""
    assert complaint(Ldaps, tls=False) == ("tls", 'cannot be false here: type = "ldap" is the one without TLS')
    assert Ldaps().default_port == 636


def test_a_password_is_in_no_repr() -> None:
    """It is read when the checker is made."""
    assert "Linux" not in repr(Ldap(bind_dn="cn=x", password_file=ONE_LINE))


async def asked(tcp_server: TcpServer, handler: Handler, seconds: float = ENOUGH, **options: Any) -> Outcome:
    return await ask(Ldap(**options), await at(tcp_server, handler), seconds)


def answering(*answers: bytes) -> Handler:
    """One of them for each request, which is less than 4096 bytes and comes at once."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.read(4096)
            writer.write(answer)
        await reader.read()

    return handler


async def test_an_answer_in_pieces(tcp_server: TcpServer) -> None:
    """Messages may come however they like."""
    data = BOUND + FOUND + response(2, 0x65, DONE)
    for parts in ([data], [data[place : place + 1] for place in range(len(data))]):
        outcome = await asked(tcp_server, saying(*parts), base="cn=x")
        assert str(outcome) == 'L7OK bound anonymously, found entry "cn=x"'


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([b"HTTP/1.1 400"], 'anonymous bind: the answer is not LDAP, received "HTTP/1.1 400"'),
        ([b"\x30\x84\xff\xff\xff\xff"], "anonymous bind: the answer is not LDAP"),
        ([response(7, 0x61, DONE)], "anonymous bind: an answer to something else: message 7, bindResponse"),
        ([response(1, 0x65, DONE)], "anonymous bind: an answer to something else: message 1, searchResDone"),
        (
            [response(0, 0x78, element(10, b"\x34") + element(4, b"") + element(4, b"bye"))],
            'anonymous bind: the server hangs up: 52 unavailable "bye"',
        ),
        ([response(1, 0x61, b"\x0a\x01")], "anonymous bind: the answer is"),
        ([BOUND, response(2, 0x65, DONE)], 'search for "": 0 entries were returned; expected 1'),
        ([BOUND, FOUND + FOUND + response(2, 0x65, DONE)], 'search for "": 2 entries were returned; expected 1'),
        ([BOUND, response(2, 0x64, b"") + response(2, 0x65, DONE)], 'search for "": the answer is not LDAP'),
        (
            [BOUND, response(2, 0x64, entry(b"", attribute(b"x", *[b""] * 2000)))],
            'search for "": a message of more than 250 values',
        ),
        (
            [BOUND, response(2, 0x73, element(4, b"ldap://x")) * 40],
            'search for "": the server sent more than 16 messages',
        ),
    ],
)
async def test_answers_that_are_none(tcp_server: TcpServer, answers: list[bytes], said: str) -> None:
    """Each is told with what was received."""
    outcome = await asked(tcp_server, answering(*answers), base="")
    assert outcome.code == Code.L7RSP
    assert outcome.detail.startswith(said)


async def test_a_server_that_never_ends(tcp_server: TcpServer) -> None:
    """Entries without end cost a stated number of bytes."""
    long = response(2, 0x64, element(4, b"x" * 40_000) + element(0x30, b""))
    outcome = await asked(tcp_server, answering(BOUND, long * 10), base="")
    assert str(outcome) == f'L7RSP search for "": the server sent more than {ldap_wire.LONGEST} bytes'


async def test_a_server_that_hangs_up_or_says_nothing(tcp_server: TcpServer) -> None:
    """Before an answer, or within it."""

    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(BOUND[:5])

    outcome = await asked(tcp_server, closing)
    shown = 'received "0\\x0c\\x02\\x01\\x01"'
    assert str(outcome) == f"L7RSP anonymous bind: connection closed before the answer, {shown}"
    outcome = await asked(tcp_server, saying(BOUND[:5]), 0.3)
    assert str(outcome) == "L7TOUT no result within 0.3 s while waiting for the answer to anonymous bind"


async def test_starttls_that_is_refused(tcp_server: TcpServer, pki: Pki) -> None:
    """Nothing goes on in the clear."""
    refused = response(1, 0x78, element(10, b"\x02") + element(4, b"") + element(4, b"unsupported"))
    outcome = await asked(tcp_server, saying(refused), starttls=True, ca_file=pki.ca_file)
    assert str(outcome) == 'L6RSP StartTLS: 2 protocolError "unsupported"'


async def test_what_is_sent_before_tls_is_forgotten(tcp_server: TcpServer, pki: Pki) -> None:
    """An answer that somebody has put in before the handshake is not taken for the server's."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(response(1, 0x78, DONE) + response(2, 0x61, DONE))
        await writer.start_tls(pki.server(pki.issued("127.0.0.1")))
        await reader.read(4096)
        writer.write(response(2, 0x61, element(10, b"\x31") + element(4, b"") + element(4, b"")))
        await reader.read()

    outcome = await asked(tcp_server, handler, starttls=True, ca_file=pki.ca_file)
    assert (outcome.status, str(outcome)) == (Status.FAIL, "L7STS anonymous bind: 49 invalidCredentials")
